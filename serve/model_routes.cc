#include "serve/model_routes.h"

#include <cstdio>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "serve/bundle_archive.h"
#include "serve/model_requests.h"
#include "serve/model_status.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(int status, const std::string& detail) {
  throw Refusal{MakeProblem(status, detail)};
}

}  // namespace

void ModelRoutes::AddTo(Router* router) const {
  router->Add({kGet, "/v3/models", Scope::kClassify, [this](const Call&) { return Models(); }});
  Route archive = {kGet, "/api/model", Scope::kClassify,
                   [this](const Call& call) { return Archive(call); }};
  Route reload = {kPost, "/v3/models/reload", Scope::kAdmin,
                  [this](const Call&) { return Reload(); }};
  for (Route* route : {&archive, &reload}) {
    route->slow = true;  // they read and check whole bundles
    router->Add(std::move(*route));
  }
}

Response ModelRoutes::Models() const {
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("models");
  writer.Raw(ModelsJson(reloader_->Statuses(), reloader_->store(), registry_(), shadow_));
  writer.EndObject();
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
