// The ids that labels and tasks have in one database. Immutable once loaded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "datasource/postgres.h"
#include "models/task.h"

namespace rebound {

struct LabelCatalog {
  std::array<int64_t, kTaskCount> task_ids = {};
  std::array<std::vector<int64_t>, kTaskCount> label_ids;  // by position in TaskLabels
  std::map<int64_t, std::pair<Task, int16_t>> positions;   // by label id

  // Task and position in TaskLabels. Throws kNotFound for a label of a newer program.
  std::pair<Task, int16_t> PositionOf(int64_t label_id) const;
};

// Throws kNotFound, with the remedy, where the database lacks labels of this program.
LabelCatalog LoadCatalog(SqlTransaction& sql);

}  // namespace rebound
