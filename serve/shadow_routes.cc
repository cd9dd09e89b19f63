#include "serve/shadow_routes.h"

#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/load.h"
#include "serve/model_requests.h"
#include "serve/problem.h"
#include "serve/shadow_report.h"
#include "serve/texts.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(int status, const std::string& detail) {
  throw Refusal{MakeProblem(status, detail)};
}

std::optional<ShadowStatus> StatusOf(const Shadow& shadow, Task task) {
  for (ShadowStatus& status : shadow.Statuses()) {
    if (status.task == task) return std::move(status);
  }
  return std::nullopt;
}

ShadowStatus StatusOrRefuse(const Shadow& shadow, Task task) {
  auto status = StatusOf(shadow, task);
  if (!status) Refuse(404, "task '" + std::string(TaskName(task)) + "' has no shadow");
  return std::move(*status);
}

void LogStep(const char* what, const Call& call, Task task, int version) {
  Log(LogLevel::kInfo, what,
      {{"request_id", std::string(call.request_id)},
       {"by", call.caller.name},
       {"task", std::string(TaskName(task))},
       {"version", std::to_string(version)}});
}

}  // namespace

void ShadowRoutes::AddTo(Router* router) const {
  router->Add({kGet, "/v3/models/{task}/shadow", Scope::kClassify,
               [this](const Call& call) { return Report(call); }});
  Route set = {kPost, "/v3/models/{task}/shadow", Scope::kAdmin,
               [this](const Call& call) { return Set(call); }};
  Route end = {kDelete, "/v3/models/{task}/shadow", Scope::kAdmin,
               [this](const Call& call) { return End(call); }};
  for (Route* route : {&set, &end}) {
    route->slow = true;  // they read whole bundles, and write
    router->Add(std::move(*route));
  }
}

Task ShadowRoutes::ServedTaskOf(const Call& call) const {
  const Task task = TaskOf(call);
  for (const TaskStatus& status : reloader_->Statuses()) {
    if (status.task == task) return task;
  }
  Refuse(404, "this server does not serve task '" + std::string(TaskName(task)) + "'");
}

Response ShadowRoutes::ReportOf(const ShadowStatus& status) const {
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("task").String(TaskName(status.task));
  ShadowStatus shown = status;
  shown.problem = WithoutRoot(status.problem, reloader_->store());
  WriteShadow(shown, shadow_->sample(), true, &writer);
  if (shown.running) writer.Key("dropped").Uint(shadow_->dropped());
  writer.EndObject();
  return response;
}

Response ShadowRoutes::Report(const Call& call) const {
  return ReportOf(StatusOrRefuse(*shadow_, ServedTaskOf(call)));
}

Response ShadowRoutes::Set(const Call& call) const {
  const Task task = ServedTaskOf(call);
  const int version = VersionOf(ReadObject(call.request));
  const std::string name =
      "version " + std::to_string(version) + " of task '" + std::string(TaskName(task)) + "'";
  const BundleStore& store = reloader_->store();
  try {
    LoadVersion(store, task, version);
    BundleStore(store).SetShadow(task, version);
  } catch (const Error& e) {
    switch (e.code()) {
      case ErrorCode::kNotFound:
        Refuse(404, "there is no " + name);
      case ErrorCode::kCorrupt:
        Refuse(422, name + " does not verify: " + WithoutRoot(e.what(), store));
      case ErrorCode::kConflict:
        Refuse(409, name + " serves already: only another one can run beside it");
      default:
        Refuse(503, name + " is no shadow: " + WithoutRoot(e.what(), store));
    }
  }
  LogStep("shadow set", call, task, version);
  reloader_->LookNow(true);
  const auto status = StatusOf(*shadow_, task);
  if (!status || status->version != version) {
    Refuse(409, name + " was made the shadow, but by now that is another one or none");
  }
  if (!status->running) {
    Refuse(503,
           name + " is the shadow, but cannot be loaded: " + WithoutRoot(status->problem, store));
  }
  return ReportOf(*status);
}

// Answers with what was counted until now: it is gone afterwards.
Response ShadowRoutes::End(const Call& call) const {
  const Task task = ServedTaskOf(call);
  const ShadowStatus last = StatusOrRefuse(*shadow_, task);
  const BundleStore& store = reloader_->store();
  try {
    BundleStore(store).EndShadow(task);
  } catch (const Error& e) {
    Refuse(503, "the shadow of task '" + std::string(TaskName(task)) +
                    "' was not ended: " + WithoutRoot(e.what(), store));
  }
  LogStep("shadow ended", call, task, last.version);
  reloader_->LookNow(true);
  return ReportOf(last);
}

}  // namespace rebound
