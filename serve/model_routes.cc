#include "serve/model_routes.h"

#include <cstdio>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/load.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "serve/bundle_archive.h"
#include "serve/model_status.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr int kLastVersion = 999999;

[[noreturn]] void Refuse(int status, const std::string& detail) {
  throw Refusal{MakeProblem(status, detail)};
}

int VersionOf(const Request& request) {
  const JsonDocument body = ReadObject(request);
  const JsonValue* version = FindPresent(body, "version");
  if (version == nullptr) Refuse(422, "key 'version' is missing");
  if (!version->IsInt() || version->GetInt() < 1 || version->GetInt() > kLastVersion) {
    Refuse(422, "'version' is not a whole number from 1 to 999999");
  }
  return version->GetInt();
}

// What went wrong in the store, for a client: paths begin at the store's root.
std::string WithoutRoot(std::string text, const BundleStore& store) {
  const std::string root = store.root().string() + "/";
  for (size_t at = text.find(root); at != std::string::npos; at = text.find(root, at)) {
    text.erase(at, root.size());
  }
  return text;
}

}  // namespace

void ModelRoutes::AddTo(Router* router) const {
  router->Add({kGet, "/v3/models", Scope::kClassify, [this](const Call&) { return Models(); }});
  Route archive = {kGet, "/api/model", Scope::kClassify,
                   [this](const Call& call) { return Archive(call); }};
  Route reload = {kPost, "/v3/models/reload", Scope::kAdmin,
                  [this](const Call&) { return Reload(); }};
  Route promote = {kPost, "/v3/models/{task}/promote", Scope::kAdmin,
                   [this](const Call& call) { return Promote(call); }};
  for (Route* route : {&archive, &reload, &promote}) {
    route->slow = true;  // they read and check whole bundles
    router->Add(std::move(*route));
  }
}

Response ModelRoutes::Models() const {
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("models");
  writer.Raw(ModelsJson(reloader_->Statuses(), reloader_->store())).EndObject();
  return response;
}

Response ModelRoutes::Reload() const {
  reloader_->LookNow(true);
  return Models();
}

TaskStatus ModelRoutes::StatusOfTask(Task task) const {
  for (TaskStatus& status : reloader_->Statuses()) {
    if (status.task == task) return std::move(status);
  }
  Refuse(404, "this server does not serve task '" + std::string(TaskName(task)) + "'");
}

Response ModelRoutes::Promote(const Call& call) const {
  const std::optional<Task> task = ParseTask(call.parameter);
  if (!task) Refuse(404, "there is no task '" + RepairUtf8(call.parameter) + "'");
  const TaskStatus before = StatusOfTask(*task);
  const int version = VersionOf(call.request);
  const std::string name =
      "version " + std::to_string(version) + " of task '" + std::string(TaskName(*task)) + "'";
  const BundleStore& store = reloader_->store();
  try {
    LoadVersion(store, *task, version);
    BundleStore(store).Promote(*task, version);
  } catch (const Error& e) {
    Log(LogLevel::kWarning, "not promoted",
        {{"request_id", std::string(call.request_id)},
         {"task", std::string(TaskName(*task))},
         {"version", std::to_string(version)},
         {"cause", e.what()}});
    switch (e.code()) {
      case ErrorCode::kNotFound:
        Refuse(404, "there is no " + name);
      case ErrorCode::kCorrupt:
        Refuse(422, name + " does not verify: " + WithoutRoot(e.what(), store));
      default:
        Refuse(503, name + " was not promoted: " + WithoutRoot(e.what(), store));
    }
  }
  Log(LogLevel::kInfo, "promoted",
      {{"request_id", std::string(call.request_id)},
       {"by", call.caller.name},
       {"task", std::string(TaskName(*task))},
       {"version", std::to_string(version)}});
  reloader_->LookNow(true);
  const TaskStatus after = StatusOfTask(*task);
  if (!after.problem.empty()) {
    Refuse(503, name + " was promoted, but cannot be loaded: " + WithoutRoot(after.problem, store));
  }
  if (after.serving == nullptr || after.serving->config().version != version) {
    Refuse(409, name + " was promoted, but by now another version was too");
  }
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("task").String(TaskName(*task)).Key("version").Int(version);
  writer.Key("hash").String(after.serving->hash());
  if (before.serving != nullptr) writer.Key("previous").Int(before.serving->config().version);
  writer.EndObject();
  return response;
}

Response ModelRoutes::Archive(const Call& call) const {
  Task task = Task::kAction;
  for (const auto& [name, value] : call.target.query) {
    if (name != "task") continue;
    const std::optional<Task> asked = ParseTask(value);
    if (!asked) Refuse(404, "there is no task '" + RepairUtf8(value) + "'");
    task = *asked;
  }
  const TaskStatus status = StatusOfTask(task);
  if (status.serving == nullptr) return NoModelYet(task);
  const BundleConfig& config = status.serving->config();
  Response response;
  response.content_type = "application/gzip";
  response.body = MakeBundleArchive(reloader_->store().BundleFolder(task, config.version), config);
  char name[64];
  std::snprintf(name, sizeof name, "rebound-%s-%06d.tar.gz", std::string(TaskName(task)).c_str(),
                config.version);
  response.headers.emplace_back("Content-Disposition",
                                "attachment; filename=\"" + std::string(name) + "\"");
  return response;
}

}  // namespace rebound
