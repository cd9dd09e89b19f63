// From a model back to everything that made it: run, snapshot, seed, options, environment, code,
// tokenizer, and what it was compared with. Thread-compatible.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"
#include "labelstore/model_registry.h"
#include "labelstore/snapshots.h"

namespace rebound {

struct RecordedRun {
  int64_t id = 0;
  std::string status;  // "promoted", "not_promoted"...
  std::string reason;
  std::string started_at, finished_at;  // ISO 8601, UTC; "" where it has not ended
  std::string details_json;             // of TrainingRun; "" where the run recorded none
};

// What is known; a bundle of another store is known by its own config.json alone.
struct Lineage {
  Task task = Task::kBnac;
  int version = 0;
  std::string weights_sha256;
  std::optional<RegisteredModel> model;  // as this store registered it
  std::vector<Promotion> promotions;     // of this version, oldest first
  std::optional<RecordedRun> run;
  std::optional<NamedSnapshot> snapshot;  // in this store
  std::string snapshot_digest;            // "" where nothing tells it
  std::optional<uint64_t> seed;
  std::optional<BundleConfig> config;  // of the folder, or of the bundle in the registry
};

// `reference`: "bnac/7" (or 000007), the first 8 digits or more of a model's hash (sha256 of its
// weights, as answers name it), or the folder of a bundle. Throws kNotFound where nothing is known,
// kConflict where a hash's beginning fits several models, kInvalidArgument for another form.
Lineage FindLineage(const std::string& uri, std::string_view reference);

// The rows that trained it: those of its snapshot that are not held out, as lines of JSON.
// Throws kNotFound where this store does not have the snapshot.
void WriteTrainingRows(const std::string& uri, const Lineage& lineage,
                       const std::function<void(std::string_view line)>& write);

std::string WriteLineageJson(const Lineage& lineage);
// For people, several lines.
std::string WriteLineageText(const Lineage& lineage);

}  // namespace rebound
