#include "train/corpus.h"

#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "tokenizer/normaliser.h"

namespace rebound {

Side SideOf(std::string_view group, bool held_out) {
  if (held_out) return Side::kJudge;
  // Salted, so that it is independent of the hash that holds groups out.
  const uint64_t hash = StableHash("calibrate:" + std::string(group));
  return hash % 100 < static_cast<uint64_t>(kCalibratePercent) ? Side::kCalibrate : Side::kTrain;
}

void ThrowIfStopped(const std::function<bool()>& stop) {
  if (stop && stop()) throw Error(ErrorCode::kCancelled, "cancelled");
}

Corpus ReadCorpus(LabelStore* store, int64_t snapshot_id, const std::function<bool()>& stop) {
  const std::optional<SnapshotInfo> info = store->FindSnapshot(snapshot_id);
  if (!info) {
    throw Error(ErrorCode::kNotFound, "snapshot " + std::to_string(snapshot_id) +
                                          " is not in the label store; leave --snapshot out to "
                                          "make a new one");
  }
  Corpus corpus;
  corpus.snapshot = *info;
  corpus.rows.reserve(static_cast<size_t>(info->rows));
  std::unordered_map<std::string, int32_t> groups;
  store->ReadSnapshot(snapshot_id, [&](const SnapshotRow& row) {
    if (corpus.rows.size() % 256 == 0) ThrowIfStopped(stop);
    const auto [at, is_new] = groups.emplace(row.group, static_cast<int32_t>(groups.size()));
    if (is_new) corpus.group_names.push_back(row.group);
    const int32_t group = at->second;
    corpus.rows.push_back({row.text, Normalise(row.text), group, SideOf(row.group, row.held_out),
                           row.labels, row.message_id});
  });
  corpus.groups = static_cast<int32_t>(groups.size());
  if (corpus.rows.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the label store holds no labelled text; fill it with `rebound-labels seed`");
  }
  return corpus;
}

}  // namespace rebound
