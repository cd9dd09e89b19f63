#include "engine/rule_test.h"

#include <memory>
#include <optional>

#include "base/text.h"

namespace rebound {

void WriteRuleTest(const RuleSources& sources, BounceKind kind, std::string_view text,
                   std::string_view domain, JsonWriter* writer) {
  JsonWriter& w = *writer;
  std::optional<OverrideVerdict> verdict;
  if (sources.overrides != nullptr) {
    verdict = TestOverrides(*sources.overrides, kind, text, domain);
  }
  w.StartObject().Key("matched").Bool(verdict.has_value());
  if (verdict) {
    w.Key("bounce_code").Int(verdict->code.number);
    w.Key("description").String(verdict->code.name);
    w.Key("category").String(BounceCategoryName(verdict->code.category));
    w.Key("rule").String(RepairUtf8(verdict->rule.pattern));
    w.Key("domain").String(verdict->rule.domain);
    w.Key("list").String(verdict->is_user ? "user" : "system");
    w.Key("file_or_datasource").String(RepairUtf8(verdict->source));
    w.Key("line").Uint(verdict->rule.line);
  }
  const std::shared_ptr<const TextRules> rules = sources.text_rules->Current();
  w.Key("text_rules").StartArray();
  for (const auto& position : FindTextRules(*rules, text)) {
    if (!position) continue;
    const TextRule& rule = rules->rules()[*position];
    w.StartObject().Key("task").String(TaskName(rule.task));
    w.Key("class").String(TaskLabels(rule.task)[rule.label]);
    w.Key("pattern").String(rule.pattern).Key("place").String(RepairUtf8(rule.place)).EndObject();
  }
  w.EndArray().EndObject();
}

}  // namespace rebound
