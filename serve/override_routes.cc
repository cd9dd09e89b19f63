#include "serve/override_routes.h"

#include <optional>
#include <string>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utc_time.h"
#include "engine/rule_test.h"
#include "serve/problem.h"
#include "serve/texts.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(const std::string& detail) { throw Refusal{MakeProblem(422, detail)}; }

using SystemTime = std::chrono::system_clock::time_point;

void WriteTime(std::string_view key, const std::optional<SystemTime>& time, JsonWriter* writer) {
  if (time) writer->Key(key).String(UtcTime(*time));
}

void WriteProblem(const std::string& problem, JsonWriter* writer) {
  if (!problem.empty()) writer->Key("last_error").String(RepairUtf8(problem));
}

void WriteList(const OverrideListStatus& list, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject().Key("kind").String(BounceKindName(list.kind));
  w.Key("list").String(list.is_user ? "user" : "system");
  w.Key("source").String(RepairUtf8(list.source));
  w.Key("rules").Uint(list.rules).Key("hits").Uint(list.hits);
  WriteTime("loaded_at", list.loaded_at, writer);
  if (list.loaded_at) w.Key("age").Int(list.age.count());
  w.Key("missing").Bool(list.missing).Key("stale").Bool(list.stale);
  w.Key("expired").Bool(list.expired);
  WriteProblem(list.last_error, writer);
  w.Key("refreshes").Uint(list.refreshes).Key("failures").Uint(list.failures);
  w.Key("bad_lines").Uint(list.bad_count).Key("bad").StartArray();
  for (const BadLine& bad : list.bad) w.String(RepairUtf8(bad.what));
  w.EndArray().EndObject();
}

void WriteUse(const RuleUse& use, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject().Key("source").String(RepairUtf8(use.source));
  w.Key("line").Uint(use.rule.line).Key("domain").String(use.rule.domain);
  w.Key("bounce_code").Int(use.rule.code).Key("rule").String(RepairUtf8(use.rule.pattern));
  w.Key("hits").Uint(use.hits);
  WriteTime("last_hit", use.last_hit, writer);
  w.EndObject();
}

void WriteTextRules(const TextRuleFile::Status& status, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject();
  if (!status.file.empty()) w.Key("file").String(RepairUtf8(status.file));
  w.Key("rules").Uint(status.rules).Key("registered").Uint(status.registered);
  WriteTime("loaded_at", status.loaded_at, writer);
  WriteProblem(status.last_error, writer);
  w.Key("bad_lines").Uint(status.bad_count).Key("bad").StartArray();
  for (const std::string& bad : status.bad) w.String(RepairUtf8(bad));
  w.EndArray().EndObject();
}

// A key's text; empty where it is missing or null.
std::string_view TextOf(const JsonValue& body, std::string_view key) {
  const JsonValue* value = FindPresent(body, key);
  if (value == nullptr) return {};
  if (!value->IsString()) Refuse("'" + std::string(key) + "' is not a string");
  return Trim(JsonText(*value));
}

BounceKind KindOf(const JsonValue& body) {
  const std::string_view kind = TextOf(body, "kind");
  if (kind.empty() || kind == BounceKindName(BounceKind::kSmtp)) return BounceKind::kSmtp;
  if (kind == BounceKindName(BounceKind::kMdn)) return BounceKind::kMdn;
  Refuse("'kind' must be smtp or mdn");
}

}  // namespace

void OverrideRoutes::AddTo(Router* router) const {
  router->Add({kGet, "/v3/overrides", Scope::kClassify, [this](const Call&) { return Status(); }});
  router->Add({kPost, "/v3/overrides/test", Scope::kClassify,
               [this](const Call& call) { return Test(call); }});
  // Reading a data source takes as long as it takes.
  router->Add({kPost, "/v3/overrides/reload", Scope::kAdmin,
               [this](const Call& call) { return Reload(call); }, true});
}

Response OverrideRoutes::Status() const {
  Response response;
  JsonWriter w(&response.body);
  w.StartObject().Key("lists").StartArray();
  if (overrides_ != nullptr) {
    for (const OverrideListStatus& list : overrides_->Status()) WriteList(list, &w);
  }
  w.EndArray().Key("uses").StartArray();
  if (overrides_ != nullptr) {
    for (const RuleUse& use : overrides_->Uses()) WriteUse(use, &w);
  }
  w.EndArray().Key("text_rules");
  WriteTextRules(text_rules_->GetStatus(), &w);
  w.EndObject();
  return response;
}

Response OverrideRoutes::Test(const Call& call) const {
  const JsonDocument body = ReadObject(call.request);
  const std::string_view text = CutUtf8(TextOf(body, "message"), kMaxTextBytes);
  if (text.empty()) Refuse("'message' is missing, empty or blank");
  const BounceKind kind = KindOf(body);
  Response response;
  JsonWriter writer(&response.body);
  WriteRuleTest({overrides_, text_rules_}, kind, text, TextOf(body, "domain"), &writer);
  return response;
}

Response OverrideRoutes::Reload(const Call& call) const {
  if (overrides_ != nullptr) overrides_->Reload();
  text_rules_->Look();
  Log(LogLevel::kInfo, "overrides read anew",
      {{"request_id", std::string(call.request_id)}, {"by", call.caller.name}});
  return Status();
}

}  // namespace rebound
