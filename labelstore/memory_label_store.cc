#include <map>
#include <utility>

#include "base/error.h"
#include "base/utc_time.h"
#include "labelstore/content.h"
#include "labelstore/label_store.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

struct StoredMessage {
  int64_t id;
  Message message;
  std::map<std::string, Votes> votes;  // by contributor
};

// The votes of the highest origin decide by majority; a tie is no label.
std::optional<Vote> EffectiveVote(const StoredMessage& stored, Task task) {
  std::map<LabelOrigin, std::map<size_t, int>> counts;
  for (const auto& [contributor, votes] : stored.votes) {
    const auto& vote = votes[Index(task)];
    if (vote) ++counts[vote->origin][vote->label];
  }
  if (counts.empty()) return std::nullopt;
  const auto& [origin, by_label] = *counts.rbegin();
  size_t best = 0;
  int most = 0, sharing = 0;
  for (const auto& [label, count] : by_label) {
    if (count > most) {
      best = label;
      most = count;
      sharing = 1;
    } else if (count == most) {
      ++sharing;
    }
  }
  if (sharing != 1) return std::nullopt;
  return Vote{best, origin};
}

// The training row of a message, or nullopt where no task has a label.
std::optional<SnapshotRow> MakeRow(const StoredMessage& stored) {
  SnapshotRow row;
  bool labelled = false;
  for (const Task task : kTasks) {
    const auto vote = EffectiveVote(stored, task);
    if (!vote) continue;
    row.labels[Index(task)] = static_cast<int16_t>(vote->label);
    row.origin = labelled ? std::max(row.origin, vote->origin) : vote->origin;
    labelled = true;
  }
  if (!labelled) return std::nullopt;
  row.message_id = stored.id;
  row.text = stored.message.text;
  row.group = stored.message.group;
  row.held_out = IsHeldOut(row.group);
  return row;
}

class MemoryLabelStore : public LabelStore {
 public:
  ImportResult Submit(const std::vector<Submission>& submissions) override {
    std::vector<Message> prepared;
    for (size_t i = 0; i < submissions.size(); ++i)
      prepared.push_back(MakeMessage(submissions[i], i));
    ImportResult result;
    for (size_t i = 0; i < submissions.size(); ++i) {
      auto [at, is_new] = messages_.try_emplace(prepared[i].digest);
      if (is_new) at->second = {static_cast<int64_t>(messages_.size()), std::move(prepared[i]), {}};
      Votes& votes = at->second.votes[submissions[i].contributor];
      Count(OutcomeOf(submissions[i], is_new, votes), &result);
      for (size_t task = 0; task < kTaskCount; ++task) {
        if (!submissions[i].labels[task]) continue;
        const Vote vote{*submissions[i].labels[task], submissions[i].origin};
        if (votes[task] && *votes[task] != vote) ++changed_votes_;
        votes[task] = vote;
      }
    }
    return result;
  }

  SnapshotInfo MakeSnapshot() override {
    Frozen frozen;
    SnapshotDigest digest;
    for (const auto& [message_digest, stored] : messages_) {
      auto row = MakeRow(stored);
      if (!row) continue;
      digest.Add(message_digest, kNormaliserVersion, *row);
      frozen.rows.push_back(std::move(*row));
    }
    frozen.info.digest = digest.FinishHex();
    for (const Frozen& earlier : snapshots_) {
      if (earlier.info.digest == frozen.info.digest) return earlier.info;
    }
    frozen.info.id = static_cast<int64_t>(snapshots_.size()) + 1;
    frozen.info.rows = static_cast<int64_t>(frozen.rows.size());
    frozen.info.created_at = UtcNow();
    snapshots_.push_back(std::move(frozen));
    return snapshots_.back().info;
  }

  std::optional<SnapshotInfo> FindSnapshot(int64_t id) override {
    const Frozen* frozen = Find(id);
    if (frozen == nullptr) return std::nullopt;
    return frozen->info;
  }

  void ReadSnapshot(int64_t id, const std::function<void(const SnapshotRow&)>& row) override {
    const Frozen* frozen = Find(id);
    if (frozen == nullptr) ThrowNoSnapshot(id);
    for (const SnapshotRow& each : frozen->rows) row(each);
  }

  int64_t StartRun(const TrainingRun& run) override {
    if (Find(run.snapshot_id) == nullptr) ThrowNoSnapshot(run.snapshot_id);
    TrainingRun started = run;
    started.id = static_cast<int64_t>(runs_.size()) + 1;
    started.status = "running";
    runs_.push_back(started);
    return started.id;
  }

  void FinishRun(const TrainingRun& run) override {
    CheckFinishedRun(run);
    if (run.id < 1 || run.id > static_cast<int64_t>(runs_.size())) {
      throw Error(ErrorCode::kNotFound, "no training run " + std::to_string(run.id));
    }
    TrainingRun& kept = runs_[static_cast<size_t>(run.id - 1)];
    const TrainingRun started = kept;
    kept = run;
    kept.task = started.task;
    kept.snapshot_id = started.snapshot_id;
    kept.seed = started.seed;
  }

  std::vector<TrainingRun> ReadRuns(size_t limit) override {
    std::vector<TrainingRun> newest(runs_.rbegin(), runs_.rend());
    if (newest.size() > limit) newest.resize(limit);
    return newest;
  }

  void RegisterModel(Task task, int version, std::string_view weights_sha256,
                     int64_t run_id) override {
    if (run_id < 0 || run_id > static_cast<int64_t>(runs_.size())) {
      throw Error(ErrorCode::kNotFound, "no training run " + std::to_string(run_id));
    }
    const auto [at, is_new] = models_.try_emplace({task, version}, weights_sha256);
    if (!is_new && at->second != weights_sha256) {
      throw Error(ErrorCode::kConflict, std::string(TaskName(task)) + " version " +
                                            std::to_string(version) +
                                            " is registered with other weights");
    }
  }

  int LastVersion(Task task) override {
    int last = 0;
    for (const auto& [key, weights] : models_) {
      if (key.first == task) last = std::max(last, key.second);
    }
    return last;
  }

  void RecordPromotion(Task task, int version) override {
    if (models_.count({task, version}) == 0) {
      throw Error(ErrorCode::kNotFound, std::string(TaskName(task)) + " version " +
                                            std::to_string(version) + " is not registered");
    }
    current_[Index(task)] = version;
  }

  std::string StatsJson() override {
    StoreStats stats;
    std::map<std::string, bool> groups;
    for (const Task task : kTasks) stats.labels[Index(task)].resize(TaskLabels(task).size());
    for (const auto& [digest, stored] : messages_) {
      ++stats.messages;
      const bool held_out = IsHeldOut(stored.message.group);
      stats.held_out += held_out ? 1 : 0;
      groups[stored.message.group] = held_out;
      for (const auto& [contributor, votes] : stored.votes) {
        for (const auto& vote : votes) {
          if (!vote) continue;
          ++stats.votes;
          ++stats.votes_by_origin[std::string(OriginName(vote->origin))];
        }
      }
      for (const Task task : kTasks) {
        if (const auto vote = EffectiveVote(stored, task)) ++stats.labels[Index(task)][vote->label];
      }
    }
    stats.groups = static_cast<int64_t>(groups.size());
    stats.changed_votes = changed_votes_;
    stats.snapshots = static_cast<int64_t>(snapshots_.size());
    for (const TrainingRun& run : runs_) ++stats.runs_by_status[run.status];
    stats.current = current_;
    return WriteStats(stats);
  }

 private:
  struct Frozen {
    SnapshotInfo info;
    std::vector<SnapshotRow> rows;
  };

  const Frozen* Find(int64_t id) const {
    if (id < 1 || id > static_cast<int64_t>(snapshots_.size())) return nullptr;
    return &snapshots_[static_cast<size_t>(id - 1)];
  }

  [[noreturn]] static void ThrowNoSnapshot(int64_t id) {
    throw Error(ErrorCode::kNotFound, "no snapshot " + std::to_string(id));
  }

  std::map<std::string, StoredMessage> messages_;  // by digest: the order of a snapshot
  std::vector<Frozen> snapshots_;
  std::vector<TrainingRun> runs_;
  std::map<std::pair<Task, int>, std::string> models_;
  std::array<int, kTaskCount> current_ = {};
  int64_t changed_votes_ = 0;
};

}  // namespace

std::unique_ptr<LabelStore> MakeMemoryLabelStore() { return std::make_unique<MemoryLabelStore>(); }

}  // namespace rebound
