// The three tasks and the meaning of their labels, as tables. Names are wire values: never rename
// one. All data is static and Immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

enum class Task : uint8_t { kBnac = 0, kBackoff = 1, kAction = 2 };
inline constexpr std::array<Task, 3> kTasks = {Task::kBnac, Task::kBackoff, Task::kAction};
inline constexpr size_t kTaskCount = kTasks.size();
inline constexpr size_t Index(Task task) { return static_cast<size_t>(task); }

// "bnac", "backoff", "action": in bundles, options and metrics.
std::string_view TaskName(Task task);
std::optional<Task> ParseTask(std::string_view name);
// The task's key in JSON, CSV and data files: "bnac", "backoff", "label".
std::string_view TaskKey(Task task);

// The label set, in alphabetical order: 18, 24 and 16 names. A bundle lists its own order.
std::span<const std::string_view> TaskLabels(Task task);
// The same as strings, for those who keep them.
std::vector<std::string> LabelNames(Task task);
// Position in TaskLabels.
std::optional<size_t> FindLabel(Task task, std::string_view name);
// One line for people: what a text of this label says.
std::string_view LabelDescription(Task task, size_t label);

// What the operator of the sender should do about a BNAC class.
struct BnacAdvice {
  int severity;  // 6 most severe impact on sender reputation, 1 lowest
  std::span<const std::string_view> scope;
  std::string_view suggested_action;
};
const BnacAdvice& AdviceOf(size_t bnac_label);

// remove, retry, retry_different_ip, fix_configuration, review, remove_content.
std::string_view RecommendedAction(size_t action_label);

}  // namespace rebound
