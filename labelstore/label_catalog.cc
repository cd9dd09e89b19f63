#include "labelstore/label_catalog.h"

#include "base/error.h"

namespace rebound {

LabelCatalog LoadCatalog(SqlTransaction& sql) {
  LabelCatalog catalog;
  for (const Task task : kTasks) catalog.label_ids[Index(task)].resize(TaskLabels(task).size());
  const SqlRows rows = sql.Execute(
      "SELECT s.task, l.name, s.id, l.id FROM rebound.label_sets s "
      "JOIN rebound.labels l ON l.label_set_id = s.id");
  size_t known = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto task = ParseTask(rows.Text(row, 0));
    const auto label = task ? FindLabel(*task, rows.Text(row, 1)) : std::nullopt;
    if (!label) continue;  // of a newer program
    catalog.task_ids[Index(*task)] = rows.Int(row, 2);
    catalog.label_ids[Index(*task)][*label] = rows.Int(row, 3);
    catalog.positions[rows.Int(row, 3)] = {*task, static_cast<int16_t>(*label)};
    ++known;
  }
  size_t wanted = 0;
  for (const Task task : kTasks) wanted += TaskLabels(task).size();
  if (known != wanted) {
    throw Error(ErrorCode::kNotFound,
                "the store does not know every label of this program: run rebound-labels migrate");
  }
  return catalog;
}

std::pair<Task, int16_t> LabelCatalog::PositionOf(int64_t label_id) const {
  const auto position = positions.find(label_id);
  if (position == positions.end()) {
    throw Error(ErrorCode::kNotFound,
                "the store holds a label that this program does not know: use the newer one");
  }
  return position->second;
}

}  // namespace rebound
