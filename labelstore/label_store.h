// Where labelled texts, snapshots, training runs and the model registry live.
//
// Texts are masked before they are written. A message is unique by the digest of its normalised
// text and the normaliser's version; a label by (message, contributor, task). The label that counts
// is what the votes of the highest origin say by majority (review before contribution before seed);
// where they tie there is none. Two implementations under one contract suite: PostgreSQL and
// memory. Thread-compatible: one object a thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/task.h"

namespace rebound {

enum class LabelOrigin : uint8_t { kSeed, kContribution, kReview };

// One labelled text on its way in.
struct Submission {
  std::string text;                                      // as it came; the store masks it
  std::array<std::optional<size_t>, kTaskCount> labels;  // positions in TaskLabels
  LabelOrigin origin = LabelOrigin::kContribution;
  std::string contributor;  // "seed", a key's name, a reviewer
  std::string group;        // template id; empty: the store takes the digest of the text's skeleton
};

struct ImportResult {
  int64_t inserted = 0;    // new messages
  int64_t duplicates = 0;  // already there with the same labels
  int64_t relabelled = 0;  // there with other labels of this contributor: a new, audited vote
  int64_t voted = 0;       // there, and this contributor had not said this about it yet
};

struct SnapshotInfo {
  int64_t id = 0;
  std::string digest;  // sha256 hex over the ordered rows
  int64_t rows = 0;
  std::string created_at;  // ISO 8601, UTC
};

// One training row. Rows come ordered by content (the digest of the normalised text), never by
// insertion, so that the same content has the same order and digest in every database.
struct SnapshotRow {
  int64_t message_id = 0;
  std::string text;   // masked
  std::string group;  // template id or skeleton digest: never split between training and judging
  bool held_out = false;  // stable: a hash of the group, independent of seed and snapshot
  LabelOrigin origin = LabelOrigin::kSeed;
  std::array<int16_t, kTaskCount> labels = {-1, -1, -1};  // positions in TaskLabels; -1: none
};

// What a training run measured and decided.
struct TrainingRun {
  int64_t id = 0;
  Task task = Task::kBnac;
  int64_t snapshot_id = 0;
  uint64_t seed = 0;
  std::string status;  // "running", "promoted", "not_promoted", "failed"
  std::string reason;  // why promoted or not, or the error
  int version = 0;     // of the bundle; 0: none was published
  std::string weights_sha256;
  std::string scorecard_json;  // candidate
  std::string incumbent_scorecard_json;
  std::string details_json;  // options, environment, tokenizer, incumbent, verdict...; or empty
};

class LabelStore {
 public:
  virtual ~LabelStore() = default;

  // All rows in one transaction, as if one after the other. Throws kInvalidArgument, naming the
  // index, for a blank text, a missing contributor or a label out of range; nothing is stored then.
  virtual ImportResult Submit(const std::vector<Submission>& submissions) = 0;

  // Freezes what the store holds now (repeatable read, ordered, digested): the messages that have a
  // label. The same content gives the same digest; content frozen before comes back as that
  // snapshot.
  virtual SnapshotInfo MakeSnapshot() = 0;
  virtual std::optional<SnapshotInfo> FindSnapshot(int64_t id) = 0;
  // Streams the rows of a snapshot. Throws kNotFound.
  virtual void ReadSnapshot(int64_t id, const std::function<void(const SnapshotRow&)>& row) = 0;

  // Records a run as running and returns its id. Runs whose process died are marked failed first.
  // Throws kNotFound for an unknown snapshot.
  virtual int64_t StartRun(const TrainingRun& run) = 0;
  // Records how the run `run.id` ended: status, reason, version, weights, scorecards (JSON or
  // empty). Throws kNotFound, kInvalidArgument for a status that is no end.
  virtual void FinishRun(const TrainingRun& run) = 0;
  virtual std::vector<TrainingRun> ReadRuns(size_t limit) = 0;  // newest first

  // The registry: every published bundle, and which version is current by task. `run_id` 0: no run.
  // Registering the same again changes nothing; the version with other weights is kConflict.
  virtual void RegisterModel(Task task, int version, std::string_view weights_sha256,
                             int64_t run_id) = 0;
  // Throws kNotFound for a version that was not registered.
  virtual void RecordPromotion(Task task, int version) = 0;
  // The highest version registered; 0: none. A number once given never names another bundle, also
  // where the models folder was removed or a second one feeds this store.
  virtual int LastVersion(Task task) = 0;

  // Counts by task and label, origin, held-out share...: one JSON object for `rebound-labels
  // stats`.
  virtual std::string StatsJson() = 0;
};

// Which side a group stands on, for ever: about `kHeldOutPercent` of all groups judge, the rest
// train.
inline constexpr int kHeldOutPercent = 15;
bool IsHeldOut(std::string_view group);

// A store in memory, for tests and small trials.
std::unique_ptr<LabelStore> MakeMemoryLabelStore();
// Over PostgreSQL; `uri` is a libpq connection string. Throws kUnavailable where it cannot connect,
// kNotFound where the schema `rebound` is older than this code (remedy: rebound-labels migrate).
std::unique_ptr<LabelStore> OpenLabelStore(const std::string& uri);

}  // namespace rebound
