// Models whose every answer tells which version gave it, and the look whether an answer is of the
// versions that it names.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "tests/support/bundles.h"

namespace rebound::test {

inline constexpr int kTellingVersions = 4;

// What version `version` (from 1) of a task answers to every text.
inline std::string_view TellingLabel(Task task, int64_t version) {
  constexpr std::string_view kLabels[kTaskCount][kTellingVersions] = {
      {"SPF", "DKIM", "TLS", "VIRUS"},
      {"MAILBOX_FULL", "GRAYLISTING", "PROTOCOL_ERROR", "RECIPIENT_ERROR"},
      {"relay_denied", "mailbox_full", "spam_blocked", "user_unknown"}};
  return kLabels[Index(task)][version - 1];
}

inline TestBundle TellingBundle(Task task, int version) {
  TestBundle bundle;
  bundle.task = task;
  bundle.always = TellingLabel(task, version);
  return bundle;
}

// Whether every class of an answer of /v3/classify is of the version that the answer says it is of.
inline bool IsOfTheModelsNamed(const std::string& body) {
  const JsonDocument answer = ParseJson(body);
  const JsonValue& models = GetJson(answer, "models");
  const auto expected = [&](Task task) {
    return TellingLabel(task, GetJsonInt(GetJson(models, TaskName(task)), "version"));
  };
  for (const JsonValue& result : GetJson(answer, "results").GetArray()) {
    const bool as_named =
        GetJsonString(GetJson(result, "bnac"), "class") == expected(Task::kBnac) &&
        GetJsonString(GetJson(result, "backoff"), "class") == expected(Task::kBackoff) &&
        GetJsonString(result, "label") == expected(Task::kAction);
    if (!as_named) return false;
  }
  return true;
}

}  // namespace rebound::test
