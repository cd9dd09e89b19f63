#include "engine/library/client.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/answer.h"
#include "engine/load.h"
#include "engine/overrides/config.h"
#include "engine/overrides/rule_source.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPolicyBytes = 1024 * 1024;

// Data sources would bring four databases into every program that links this.
void RefuseDatasources(const OverrideConfig& config, const fs::path& file) {
  for (const auto& kind : config.sources) {
    for (const RuleSourceConfig& source : kind) {
      if (source.datasource.empty()) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  file.string() + ": " + source.Description() +
                      " is a data source, and librebound reads rules of files alone; export it to "
                      "an .ovr file, or ask rebound-serve, which reads data sources");
    }
  }
}

void WriteTexts(std::string_view key, const std::vector<std::string>& texts, JsonWriter* writer) {
  writer->Key(key).StartArray();
  for (const std::string& text : texts) writer->String(RepairUtf8(text));
  writer->EndArray();
}

void WriteList(const OverrideListStatus& list, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject().Key("kind").String(BounceKindName(list.kind));
  w.Key("list").String(list.is_user ? "user" : "system");
  w.Key("source").String(RepairUtf8(list.source)).Key("rules").Uint(list.rules);
  w.Key("missing").Bool(list.missing).Key("stale").Bool(list.stale);
  if (!list.last_error.empty()) w.Key("last_error").String(RepairUtf8(list.last_error));
  w.Key("bad_lines").Uint(list.bad_count);
  std::vector<std::string> bad;
  for (const BadLine& line : list.bad) bad.push_back(line.what);
  WriteTexts("bad", bad, writer);
  w.EndObject();
}

}  // namespace

Client::Client(fs::path models_dir) : models_dir_(std::move(models_dir)) {
  auto moment = std::make_shared<Moment>();
  moment->models = LoadCurrent(models_dir_);
  moment->text_rules = std::make_shared<TextRuleFile>(fs::path(), false);
  moment->policy = std::make_shared<const BackoffPolicy>();
  now_ = std::move(moment);
}

std::shared_ptr<const Moment> Client::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

// REQUIRES: work_mutex_ is held.
template <class Change>
void Client::Swap(Change change) {
  auto next = std::make_shared<Moment>(*Now());
  change(next.get());
  std::shared_ptr<const Moment> swapped = std::move(next);
  const std::lock_guard lock(mutex_);
  now_.swap(swapped);
}

void Client::Reload(const fs::path& models_dir) {
  const std::lock_guard work(work_mutex_);
  const fs::path folder = models_dir.empty() ? models_dir_ : models_dir;
  ModelSet models = LoadCurrent(folder);
  Swap([&](Moment* moment) { moment->models = std::move(models); });
  models_dir_ = folder;
}

void Client::SetOverrides(const fs::path& file) {
  const std::lock_guard work(work_mutex_);
  std::shared_ptr<Overrides> overrides;
  if (!file.empty()) {
    OverrideConfig config = LoadOverrideConfig(file);
    RefuseDatasources(config, file);
    overrides = std::make_shared<Overrides>(std::move(config), DatasourceReader(), false);
  }
  Swap([&](Moment* moment) { moment->overrides = std::move(overrides); });
}

void Client::SetTextRules(const fs::path& file) {
  const std::lock_guard work(work_mutex_);
  // First, so that what is wrong is told of the file and not of an option of a program.
  if (!file.empty()) ReadRuleFile(file, kMaxTextRuleFileBytes);
  auto rules = std::make_shared<TextRuleFile>(file, false);
  for (const auto& [pattern, label] : registered_) rules->Register(pattern, label);
  Swap([&](Moment* moment) { moment->text_rules = std::move(rules); });
}

void Client::SetBackoffPolicy(const fs::path& file) {
  const std::lock_guard work(work_mutex_);
  auto policy = std::make_shared<const BackoffPolicy>(
      file.empty() ? BackoffPolicy()
                   : BackoffPolicy::Parse(ReadRuleFile(file, kMaxPolicyBytes), file.string()));
  Swap([&](Moment* moment) { moment->policy = std::move(policy); });
}

void Client::RegisterTextRule(const std::string& pattern, const std::string& label) {
  const std::lock_guard work(work_mutex_);
  registered_.emplace_back(pattern, label);
  try {
    Now()->text_rules->Register(pattern, label);
  } catch (...) {
    registered_.pop_back();
    throw;
  }
}

void Client::ClearTextRules() {
  const std::lock_guard work(work_mutex_);
  Now()->text_rules->Clear();
  registered_.clear();
}

void Client::ReloadRules() {
  const std::lock_guard work(work_mutex_);
  const auto moment = Now();
  std::string failure;
  if (moment->overrides != nullptr) {
    for (const OverrideListStatus& list : moment->overrides->Reload()) {
      if (failure.empty() && !list.missing) failure = list.last_error;
    }
  }
  const bool looked = moment->text_rules->Look();
  if (failure.empty() && !looked) failure = moment->text_rules->GetStatus().last_error;
  if (!failure.empty()) {
    throw Error(ErrorCode::kUnavailable, failure + "; the rules that were read last go on");
  }
}

void Client::WriteModelInfo(JsonWriter* writer) const {
  const auto moment = Now();
  const Classifier& model = *moment->models.Get(Task::kAction);
  JsonWriter& w = *writer;
  w.StartObject().Key("modelHash").String(model.hash());
  w.Key("trainedAt").String(model.config().trained_at);
  w.Key("trainingSamples").Int(model.config().training_samples);
  w.Key("validationAccuracy").Double(model.config().validation_accuracy);
  w.Key("initialized").Bool(true).Key("models");
  WriteModels(moment->models, kTasks, writer);
  w.EndObject();
}

void Client::WriteRules(JsonWriter* writer) const {
  const auto moment = Now();
  JsonWriter& w = *writer;
  w.StartObject().Key("overrides").StartArray();
  if (moment->overrides != nullptr) {
    for (const OverrideListStatus& list : moment->overrides->Status()) WriteList(list, writer);
  }
  w.EndArray();
  WriteTexts(
      "warnings",
      moment->overrides == nullptr ? std::vector<std::string>() : moment->overrides->warnings(),
      writer);
  const TextRuleFile::Status status = moment->text_rules->GetStatus();
  w.Key("text_rules").StartObject();
  if (!status.file.empty()) w.Key("file").String(RepairUtf8(status.file));
  w.Key("rules").Uint(status.rules).Key("registered").Uint(status.registered);
  if (!status.last_error.empty()) w.Key("last_error").String(RepairUtf8(status.last_error));
  w.Key("bad_lines").Uint(status.bad_count);
  WriteTexts("bad", status.bad, writer);
  w.EndObject().EndObject();
}

}  // namespace rebound
