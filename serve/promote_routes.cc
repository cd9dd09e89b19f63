#include "serve/promote_routes.h"

#include <thread>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "engine/load.h"
#include "models/bundle_store.h"
#include "serve/model_requests.h"
#include "serve/problem.h"
#include "serve/proposal_views.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostReason = 1000;  // bytes

[[noreturn]] void RefuseWith(int status, const std::string& detail) {
  throw Refusal{MakeProblem(status, detail)};
}

std::string ReasonOf(const JsonDocument& body) {
  const JsonValue* reason = FindPresent(body, "reason");
  if (reason == nullptr) return "";
  if (!reason->IsString() || JsonText(*reason).size() > kMostReason ||
      JsonText(*reason).find('\0') != std::string_view::npos) {
    RefuseWith(422, "'reason' is not a text of at most 1000 bytes");
  }
  return std::string(JsonText(*reason));
}

std::string TaskText(Task task) { return "task '" + std::string(TaskName(task)) + "'"; }

std::string VersionText(Task task, int version) {
  return "version " + std::to_string(version) + " of " + TaskText(task);
}

// All of it ends within the time that the door gives an answer.
PostgresOptions Limits() {
  using std::chrono::milliseconds;
  PostgresOptions limits;
  limits.connect_timeout = std::chrono::seconds(3);
  limits.statement_timeout = std::chrono::seconds(8);
  limits.transaction_limit = std::chrono::seconds(12);
  limits.application_name = "rebound-serve";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(12);
  limits.pause = [deadline](milliseconds time) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) {
      throw Error(ErrorCode::kUnavailable, "the label store did not answer in time");
    }
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(time, left));
  };
  return limits;
}

}  // namespace

void PromoteRoutes::AddTo(Router* router) const {
  const auto add = [&](std::string_view path,
                       Response (PromoteRoutes::*answer)(const Call&) const) {
    Route route = {kPost, path, Scope::kAdmin,
                   [this, answer](const Call& call) { return (this->*answer)(call); }};
    route.slow = true;  // they read and check whole bundles, and ask the store
    router->Add(std::move(route));
  };
  add("/v3/models/{task}/promote", &PromoteRoutes::Promote);
  add("/v3/models/{task}/rollback", &PromoteRoutes::Rollback);
}

PromoteRoutes::Change PromoteRoutes::MakeChange(const Call& call, bool rollback) const {
  const Task task = TaskOf(call);
  Change change{call, task, 0, "", rollback};
  bool served = false;
  for (const TaskStatus& status : reloader_->Statuses()) {
    if (status.task != task) continue;
    served = true;
    if (status.serving != nullptr) change.previous = status.serving->config().version;
  }
  if (!served) RefuseWith(404, "this server does not serve " + TaskText(task));
  if (rollback && call.request.body.empty()) return change;
  const JsonDocument body = ReadObject(call.request);
  if (!rollback) change.version = VersionOf(body);
  change.reason = ReasonOf(body);
  return change;
}

Response PromoteRoutes::Promote(const Call& call) const {
  Change change = MakeChange(call, false);
  Do(&change);
  return Finish(change);
}

Response PromoteRoutes::Rollback(const Call& call) const {
  Change change = MakeChange(call, true);
  if (!options_.store) {
    RefuseWith(503,
               "this server has no label store, which knows what served before; it was started "
               "without --store: promote the version to go back to");
  }
  Do(&change);
  return Finish(change);
}

void PromoteRoutes::Do(Change* change) const {
  try {
    options_.store ? InRegistry(change) : InFolder(change);
  } catch (const Error& e) {
    Refuse(*change, e);
  }
}

void PromoteRoutes::InFolder(Change* change) const {
  BundleStore bundles(reloader_->store());
  change->stage = Stage::kBring;
  LoadVersion(bundles, change->task, change->version);
  bundles.Promote(change->task, change->version);
}

// The bundle in the folder, as the registry has it, and proven to load.
void PromoteRoutes::Bring(Task task, int version, ModelRegistry* registry) const {
  BundleStore bundles(reloader_->store());
  const auto known = registry->Find(task, version);
  if (known && known->stored && !registry->Matches(task, version, bundles)) {
    registry->Fetch(task, version, &bundles);
  }
  LoadVersion(bundles, task, version);
}

void PromoteRoutes::InRegistry(Change* change) const {
  BundleStore bundles(reloader_->store());
  ModelRegistry registry(*options_.store, Limits());
  if (!registry.MayPromote()) {
    RefuseWith(503,
               "this server's login at the label store may not promote: an operator grants it "
               "rebound_promoter (rebound-labels roles makes the role), or promotes with "
               "rebound-labels promote");
  }
  const std::string who = NameOf(change->call.caller);
  if (change->rollback) {
    GoBack(change, who, &registry);
  } else {
    change->stage = Stage::kBring;
    Bring(change->task, change->version, &registry);
    change->stage = Stage::kUpload;
    registry.Adopt(change->task, bundles);
    registry.Upload(bundles.BundleFolder(change->task, change->version));
    change->stage = Stage::kRecord;
    registry.Promote(change->task, change->version, who, change->reason);
  }
  change->stage = Stage::kTake;
  bundles.Promote(change->task, change->version);
}

void PromoteRoutes::GoBack(Change* change, const std::string& who, ModelRegistry* registry) const {
  const Task task = change->task;
  const std::vector<Promotion> history = registry->History(task);
  const std::optional<int> before = VersionBefore(history);
  if (!before) {
    RefuseWith(409, history.empty()
                        ? "no version of " + TaskText(task) + " was promoted in the registry yet"
                        : "nothing served before " + VersionText(task, history.back().version) +
                              ": there is nothing to go back to");
  }
  change->version = *before;
  change->stage = Stage::kBring;
  Bring(task, *before, registry);
  change->stage = Stage::kRecord;
  change->version = registry->Rollback(task, who, change->reason);
  change->stage = Stage::kTake;
  // Somebody else went back meanwhile, so this went one step further.
  if (change->version != *before) Bring(task, change->version, registry);
}

void PromoteRoutes::Refuse(const Change& change, const Error& error) const {
  Log(LogLevel::kWarning, change.rollback ? "not rolled back" : "not promoted",
      {{"request_id", std::string(change.call.request_id)},
       {"task", std::string(TaskName(change.task))},
       {"version", std::to_string(change.version)},
       {"cause", error.what()}});
  const std::string name = VersionText(change.task, change.version);
  const std::string why = WithoutRoot(error.what(), reloader_->store());
  const ErrorCode code = error.code();
  switch (change.stage) {
    case Stage::kBring:
      if (code == ErrorCode::kNotFound) RefuseWith(404, "there is no " + name);
      if (code == ErrorCode::kCorrupt) RefuseWith(422, name + " does not verify: " + why);
      if (code == ErrorCode::kConflict) RefuseWith(409, "it is not the registry's: " + why);
      if (!options_.store) RefuseWith(503, name + " was not promoted: " + why);
      break;
    case Stage::kUpload:
      if (code == ErrorCode::kConflict) {
        RefuseWith(409, why + ": move it away here, and the registry's is fetched");
      }
      break;
    case Stage::kRecord:
      RefuseWith(503, "the label store was lost while it was told of " + name +
                          ": look at its history (rebound-labels registry history) before you "
                          "ask again");
    case Stage::kTake:
      RefuseWith(503, name + " is promoted in the registry, but not taken here: " + why);
    case Stage::kOpen:
      break;
  }
  RefuseWith(503, code == ErrorCode::kNotFound
                      ? "nothing was changed: the label store lacks its schema, or a part of it; "
                        "an operator runs rebound-labels migrate"
                      : "nothing was changed: the label store cannot be had at this moment; try "
                        "again later");
}

Response PromoteRoutes::Finish(const Change& change) const {
  const std::string name = VersionText(change.task, change.version);
  Log(LogLevel::kInfo, change.rollback ? "rolled back" : "promoted",
      {{"request_id", std::string(change.call.request_id)},
       {"by", change.call.caller.name},
       {"task", std::string(TaskName(change.task))},
       {"version", std::to_string(change.version)}});
  reloader_->LookNow(true);
  if (options_.promoted) options_.promoted();
  TaskStatus after;
  for (TaskStatus& status : reloader_->Statuses()) {
    if (status.task == change.task) after = std::move(status);
  }
  if (!after.problem.empty()) {
    RefuseWith(503, name + " was promoted, but cannot be loaded: " +
                        WithoutRoot(after.problem, reloader_->store()));
  }
  if (after.serving == nullptr || after.serving->config().version != change.version) {
    RefuseWith(409, name + " was promoted, but by now another version was too");
  }
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("task").String(TaskName(change.task));
  writer.Key("version").Int(change.version).Key("hash").String(after.serving->hash());
  if (change.previous) writer.Key("previous").Int(*change.previous);
  writer.EndObject();
  return response;
}

}  // namespace rebound
