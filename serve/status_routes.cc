#include "serve/status_routes.h"

#include "base/json.h"
#include "serve/model_status.h"
#include "serve/problem.h"

namespace rebound {
namespace {

// Why the task has no model, and what to do about it.
std::string WhyNot(const TaskStatus& status) {
  const std::string name(TaskName(status.task));
  if (status.problem.empty()) return "not loaded yet: wait a moment";
  if (status.last_outcome == TaskStatus::Outcome::kFailed) {
    return status.problem + " (restore that version or promote another: it is taken by itself)";
  }
  return status.problem + " (train one with rebound-train --task " + name +
         ", or copy models/released/" + name + " there: it is taken by itself)";
}

}  // namespace

void StatusRoutes::AddTo(Router* router) const {
  const auto add = [&](std::string_view path, Scope scope,
                       Response (StatusRoutes::*answer)() const) {
    router->Add({kGet, path, scope, [this, answer](const Call&) { return (this->*answer)(); }});
  };
  add("/livez", Scope::kOpen, &StatusRoutes::Livez);
  add("/healthz", Scope::kOpen, &StatusRoutes::Livez);
  add("/readyz", Scope::kOpen, &StatusRoutes::Readyz);
  add("/v1/cache/stats", Scope::kClassify, &StatusRoutes::CacheStatistics);
  add("/v1/cache/info", Scope::kClassify, &StatusRoutes::CacheInfo);
}

Response StatusRoutes::Livez() const {
  Response response;
  response.body = R"({"status":"alive"})";
  return response;
}

Response StatusRoutes::Readyz() const {
  const std::vector<TaskStatus> statuses = statuses_();
  const std::optional<RegistryStatus> registry = registry_();
  std::string reasons;
  if (draining_) reasons = "the server is shutting down";
  for (const TaskStatus& status : statuses) {
    if (status.serving != nullptr) continue;
    const bool promoted_here = status.last_outcome == TaskStatus::Outcome::kFailed;
    reasons +=
        (reasons.empty() ? "" : "; ") + std::string(TaskName(status.task)) + ": " +
        (registry && !promoted_here ? WhyRegistryGaveNone(*registry, status.task) : WhyNot(status));
  }
  if (!reasons.empty()) return MakeProblem(503, reasons);
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject().Key("status").String("ready");
  writer.Key("models").Raw(ModelsJson(statuses)).EndObject();
  return response;
}

Response StatusRoutes::CacheStatistics() const {
  const CacheStats stats = cache_->Stats();
  Response response;
  JsonWriter w(&response.body);
  w.StartObject();
  w.Key("cache_enabled").Bool(cache_->enabled());
  w.Key("stats_enabled").Bool(facts_.stats);
  w.Key("timer_enabled").Bool(facts_.timer);
  w.Key("hit_requests").Uint(facts_.stats ? stats.hits : 0);
  w.Key("miss_requests").Uint(facts_.stats ? stats.misses : 0);
  w.Key("size_in_bytes").Uint(stats.bytes);
  w.Key("number_of_elements").Uint(stats.elements);
  w.Key("avg_get_time_ms").Double(stats.average_get_ms);
  w.Key("avg_set_time_ms").Double(stats.average_put_ms);
  w.EndObject();
  return response;
}

Response StatusRoutes::CacheInfo() const {
  Response response;
  JsonWriter w(&response.body);
  w.StartObject();
  w.Key("cache_enabled").Bool(cache_->enabled());
  w.Key("folder").String(facts_.folder);
  w.Key("max_size").String(std::to_string(facts_.max_bytes));
  w.EndObject();
  return response;
}

}  // namespace rebound
