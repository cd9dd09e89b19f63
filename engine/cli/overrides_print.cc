#include "engine/cli/overrides_print.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/cli/terminal.h"

namespace rebound {
namespace {

std::string Shown(const JsonValue& object, std::string_view key) {
  const JsonValue* const value = FindJson(object, key);
  if (value == nullptr) return "";
  if (value->IsString()) return OneLine(JsonText(*value));
  if (value->IsInt64()) return std::to_string(value->GetInt64());
  return value->IsTrue() ? "true" : "";
}

std::string StateOf(const JsonValue& list) {
  for (const char* state : {"expired", "stale", "missing"}) {
    if (Shown(list, state) == "true") return state;
  }
  return Shown(list, "last_error").empty() ? "ok" : "not read";
}

void PrintBad(const JsonValue& of, std::ostream* out) {
  const std::string error = Shown(of, "last_error");
  if (!error.empty()) *out << "  " << error << "\n";
  const JsonValue* const bad = FindJson(of, "bad");
  if (bad == nullptr || !bad->IsArray()) return;
  for (const JsonValue& line : bad->GetArray()) {
    if (line.IsString()) *out << "  " << OneLine(JsonText(line)) << "\n";
  }
}

std::string RuleOf(const JsonValue& rule) {
  return Shown(rule, "domain") + "," + Shown(rule, "bounce_code") + "," + Shown(rule, "rule");
}

}  // namespace

void PrintTest(const JsonValue& verdict, std::ostream* out) {
  if (GetJsonBool(verdict, "matched")) {
    *out << "class  " << Shown(verdict, "bounce_code") << " " << Shown(verdict, "description")
         << " (" << Shown(verdict, "category") << ")\n";
    *out << "rule   " << RuleOf(verdict) << "\n";
    *out << "at     " << Shown(verdict, "file_or_datasource") << ":" << Shown(verdict, "line")
         << " (" << Shown(verdict, "list") << " list)\n";
  } else {
    *out << "no rule matches\n";
  }
  const JsonValue* const rules = FindJson(verdict, "text_rules");
  if (rules == nullptr || !rules->IsArray()) return;
  for (const JsonValue& rule : rules->GetArray()) {
    *out << "text rule  " << Shown(rule, "task") << " " << Shown(rule, "class") << "  "
         << Shown(rule, "pattern") << "  " << Shown(rule, "place") << "\n";
  }
}

void PrintFindings(const std::vector<LintFinding>& findings, size_t rules, std::ostream* out) {
  for (const LintFinding& finding : findings) {
    *out << Padded(LintKindName(finding.kind), 20) << OneLine(finding.message) << "\n";
  }
  *out << rules << (rules == 1 ? " rule, " : " rules, ") << findings.size()
       << (findings.size() == 1 ? " finding\n" : " findings\n");
}

void PrintStatus(const JsonValue& status, std::ostream* out) {
  const JsonValue& lists = GetJson(status, "lists");
  if (!lists.IsArray() || lists.Empty()) {
    *out << "the server has no overrides\n";
  } else {
    *out << "KIND  LIST    RULES    AGE       STATE     BAD    SOURCE\n";
    for (const JsonValue& list : lists.GetArray()) {
      const std::string age = Shown(list, "age");
      *out << Padded(Shown(list, "kind"), 6) << Padded(Shown(list, "list"), 8)
           << Padded(Shown(list, "rules"), 9) << Padded(age.empty() ? "-" : age + " s", 10)
           << Padded(StateOf(list), 10) << Padded(Shown(list, "bad_lines"), 7)
           << Shown(list, "source") << "\n";
      PrintBad(list, out);
    }
  }
  const JsonValue& uses = GetJson(status, "uses");
  if (uses.IsArray() && !uses.Empty()) {
    *out << "\nHITS       LAST HIT              RULE\n";
    for (const JsonValue& use : uses.GetArray()) {
      *out << Padded(Shown(use, "hits"), 11) << Padded(Shown(use, "last_hit"), 22) << RuleOf(use)
           << "  " << Shown(use, "source") << ":" << Shown(use, "line") << "\n";
    }
  }
  const JsonValue* const text_rules = FindJson(status, "text_rules");
  if (text_rules == nullptr || !text_rules->IsObject()) return;
  const std::string file = Shown(*text_rules, "file");
  if (file.empty() && Shown(*text_rules, "registered") == "0") return;
  *out << "\ntext rules: " << Shown(*text_rules, "rules") << " of " << file << ", "
       << Shown(*text_rules, "bad_lines") << " bad lines\n";
  PrintBad(*text_rules, out);
}

bool IsAllRead(const JsonValue& status) {
  const JsonValue& lists = GetJson(status, "lists");
  if (!lists.IsArray()) throw Error(ErrorCode::kCorrupt, "the server's answer has no lists");
  for (const JsonValue& list : lists.GetArray()) {
    if (FindJson(list, "last_error") != nullptr) return false;
  }
  const JsonValue* const text_rules = FindJson(status, "text_rules");
  return text_rules == nullptr || FindJson(*text_rules, "last_error") == nullptr;
}

}  // namespace rebound
