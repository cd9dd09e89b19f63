// One snapshot in memory, normalised, every row on its side.
//
// Judging rows are those that the store holds out for ever; a second, equally stable slice of the
// other groups chooses epochs, network, temperature and threshold. No group stands on two sides.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "labelstore/label_store.h"
#include "models/task.h"

namespace rebound {

enum class Side : uint8_t { kTrain, kCalibrate, kJudge };

inline constexpr int kCalibratePercent = 12;  // of the groups that are not held out

// Pure: the same row stands on the same side in every run.
Side SideOf(std::string_view group, bool held_out);

struct CorpusRow {
  std::string text;  // masked
  std::string normalised;
  int32_t group;  // position in order of first appearance
  Side side;
  std::array<int16_t, kTaskCount> labels;  // positions in TaskLabels; -1: none
  int64_t message_id = 0;                  // in the store that it was read from
};

struct Corpus {
  SnapshotInfo snapshot;
  std::vector<CorpusRow> rows;  // by message id
  int32_t groups = 0;
  std::vector<std::string> group_names;  // [groups]
};

// Reads a snapshot. `stop` is asked now and then; true throws kCancelled.
// Throws kNotFound where there is no such snapshot, kInvalidArgument where it has no rows.
Corpus ReadCorpus(LabelStore* store, int64_t snapshot_id, const std::function<bool()>& stop);

// Throws kCancelled "cancelled" where `stop` says so.
void ThrowIfStopped(const std::function<bool()>& stop);

}  // namespace rebound
