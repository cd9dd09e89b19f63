// What every label store does alike: how a text becomes a message, what a vote changes, what a
// snapshot's digest is made of. Pure, Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "labelstore/label_store.h"

namespace rebound {

// "seed", "contribution", "review".
std::string_view OriginName(LabelOrigin origin);
std::optional<LabelOrigin> ParseOrigin(std::string_view name);

// A submission as it is stored.
struct Message {
  std::string text;    // masked, valid UTF-8 without NUL
  std::string digest;  // sha256 hex of the normalised text
  std::string group;
};

// Throws kInvalidArgument naming `index` for a blank text, no contributor or a label out of range.
Message MakeMessage(const Submission& submission, size_t index);

// The group of a text that belongs to no template: the digest of its words in order of the
// alphabet, without tokens, numbers and codes, so that near copies share one.
std::string SkeletonGroup(std::string_view normalised);

struct Vote {
  size_t label;  // position in TaskLabels
  LabelOrigin origin;
  bool operator==(const Vote&) const = default;
};
using Votes = std::array<std::optional<Vote>, kTaskCount>;

// Which counter of ImportResult a submission moves, given what its contributor said before.
enum class Outcome : uint8_t { kInserted, kDuplicate, kRelabelled, kVoted };
Outcome OutcomeOf(const Submission& submission, bool is_new_message, const Votes& before);
void Count(Outcome outcome, ImportResult* result);

// What a snapshot's digest covers: all that training sees and nothing that depends on insertion.
// Call Add in the order of (digest, normaliser version). Thread-compatible.
class SnapshotDigest {
 public:
  void Add(std::string_view message_digest, int64_t normaliser_version, const SnapshotRow& row);
  std::string FinishHex() { return sha256_.FinishHex(); }

 private:
  Sha256 sha256_;
};

// What StatsJson tells.
struct StoreStats {
  int64_t messages = 0;
  int64_t held_out = 0;
  int64_t groups = 0;
  int64_t votes = 0;
  int64_t changed_votes = 0;
  int64_t snapshots = 0;
  std::map<std::string, int64_t> votes_by_origin;
  std::map<std::string, int64_t> runs_by_status;
  std::array<std::vector<int64_t>, kTaskCount> labels;  // effective labels by position
  std::array<int, kTaskCount> current = {};             // promoted version; 0: none
};
std::string WriteStats(const StoreStats& stats);

// Throws kInvalidArgument where a finished run's status or scorecards are wrong.
void CheckFinishedRun(const TrainingRun& run);

}  // namespace rebound
