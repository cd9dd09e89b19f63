// Writes submissions into an open transaction, block by block. Used by PostgresLabelStore alone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "datasource/postgres.h"
#include "labelstore/content.h"
#include "labelstore/label_store.h"

namespace rebound {

// Label and task ids of one database.
struct LabelCatalog {
  std::array<int64_t, kTaskCount> task_ids = {};
  std::array<std::vector<int64_t>, kTaskCount> label_ids;  // by position in TaskLabels
  std::map<int64_t, std::pair<Task, int16_t>> positions;   // by label id
};

// Writes all of `submissions` (`messages` stands beside them) as if one after the other.
ImportResult WriteSubmissions(SqlTransaction& sql, const LabelCatalog& catalog,
                              const std::vector<Submission>& submissions,
                              const std::vector<Message>& messages);

}  // namespace rebound
