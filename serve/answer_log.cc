#include "serve/answer_log.h"

#include <string>

#include "base/log.h"
#include "base/text.h"
#include "engine/overrides/overrides.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

std::string ClassOf(Task task, const TaskAnswer& answer) {
  return std::string(TaskName(task)) + ":" + std::string(TaskLabels(task)[answer.label]);
}

// The override, else the text rules that speak of the task or of another; empty: none.
std::string RuleOf(const Ruling& ruling) {
  std::string rules;
  if (ruling.override) rules = RepairUtf8(ruling.override.rule().pattern);
  for (const auto& position : ruling.by_rule) {
    if (!position) continue;
    if (!rules.empty()) rules += "; ";
    rules += ruling.rules->rules()[*position].pattern;
  }
  return rules;
}

void LogLine(std::string_view text, std::string_view classes, const Ruling& ruling) {
  std::string masked;
  Normalise(text, &masked);
  LogClassified(masked, classes, RuleOf(ruling));
}

}  // namespace

void LogAnswer(std::string_view text, Task task, const TaskAnswer& answer, const Ruling& ruling) {
  if (!IsLogged(LogLevel::kDebug)) return;
  LogLine(text, ClassOf(task, answer), ruling);
}

void LogAnswer(const Answer& answer) {
  if (!IsLogged(LogLevel::kDebug)) return;
  std::string classes;
  for (const Task task : kTasks) {
    const auto& of = answer.tasks[Index(task)];
    if (of) classes += (classes.empty() ? "" : " ") + ClassOf(task, of->answer);
  }
  if (answer.momentum) {
    classes += " momentum:" + std::to_string(answer.momentum->number) + " (" +
               std::string(answer.momentum->name) + ")";
  }
  LogLine(answer.question.text, classes, answer.ruling);
}

}  // namespace rebound
