#include "labelstore/suspect_file.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/label_errors.h"

namespace rebound {
namespace {

// The rows of one task.
struct Rows {
  std::vector<int64_t> messages;
  std::vector<size_t> given;
  std::vector<std::vector<double>> probabilities;
};

size_t LabelNamed(Task task, std::string_view name) {
  const auto label = FindLabel(task, name);
  if (!label) {
    throw Error(ErrorCode::kInvalidArgument, "task " + std::string(TaskName(task)) +
                                                 " has no label '" + std::string(name) + "'");
  }
  return *label;
}

void ReadTask(Task task, int64_t message, const JsonValue& said, Rows* rows) {
  if (GetJson(said, "given").IsNull()) return;
  const size_t given = LabelNamed(task, GetJsonString(said, "given"));
  std::vector<double> probabilities(TaskLabels(task).size(), 0);
  for (const auto& [name, probability] : GetJson(said, "probabilities").GetObject()) {
    const double value = probability.GetDouble();
    if (!(value >= 0 && value <= 1)) {
      throw Error(ErrorCode::kInvalidArgument, "a probability is 0 to 1");
    }
    probabilities[LabelNamed(task, JsonText(name))] = value;
  }
  rows->messages.push_back(message);
  rows->given.push_back(given);
  rows->probabilities.push_back(std::move(probabilities));
}

void ReadRow(std::string_view line, std::array<Rows, kTaskCount>* tasks) {
  const JsonDocument row = ParseJson(line);
  const int64_t message = GetJsonInt(row, "id");
  for (const Task task : kTasks) {
    const JsonValue* said = FindJson(row, TaskKey(task));
    if (said != nullptr) ReadTask(task, message, *said, &(*tasks)[Index(task)]);
  }
}

}  // namespace

std::vector<Suspicion> ReadSuspects(std::istream& input) {
  std::array<Rows, kTaskCount> tasks;
  std::string line;
  for (int64_t number = 1; std::getline(input, line); ++number) {
    if (Trim(line).empty()) continue;
    try {
      ReadRow(line, &tasks);
    } catch (const Error& e) {
      throw Error(e.code(), "line " + std::to_string(number) + ": " + e.what());
    }
  }
  std::vector<Suspicion> suspicions;
  for (const Task task : kTasks) {
    const Rows& rows = tasks[Index(task)];
    for (const LabelError& error : FindLabelErrors(rows.given, rows.probabilities)) {
      suspicions.push_back({rows.messages[error.row], task, error.given, error.likely,
                            rows.probabilities[error.row][error.likely], error.score});
    }
  }
  std::stable_sort(suspicions.begin(), suspicions.end(),
                   [](const Suspicion& a, const Suspicion& b) { return a.score > b.score; });
  return suspicions;
}

}  // namespace rebound
