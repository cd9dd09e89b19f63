#include "serve/registry_status.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace rebound {
namespace {

// Of "2026-05-01T12:00:00Z", as the registry tells times.
std::optional<std::chrono::system_clock::time_point> ParseUtc(const std::string& text) {
  std::tm utc{};
  char zone = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &utc.tm_year, &utc.tm_mon,
                  &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &zone) != 7 ||
      zone != 'Z') {
    return std::nullopt;
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return std::chrono::system_clock::from_time_t(timegm(&utc));
}

bool Serves(const RegistryTask& task, const TaskStatus& status) {
  return task.taken && status.serving != nullptr && task.promoted &&
         status.serving->config().version == task.promoted->version;
}

}  // namespace

const RegistryTask* RegistryStatus::Find(Task task) const {
  const auto found = std::find_if(tasks.begin(), tasks.end(),
                                  [&](const RegistryTask& each) { return each.task == task; });
  return found == tasks.end() ? nullptr : &*found;
}

double RegistryLagSeconds(const RegistryTask& task, const TaskStatus& status,
                          std::chrono::system_clock::time_point now) {
  if (!task.promoted || Serves(task, status)) return 0;
  const auto at = ParseUtc(task.promoted->at);
  return at ? std::max(0.0, std::chrono::duration<double>(now - *at).count()) : 0;
}

std::string WhyRegistryGaveNone(const RegistryStatus& registry, Task task) {
  const RegistryTask* const found = registry.Find(task);
  const std::string name(TaskName(task));
  if (found == nullptr || (!found->promoted && !registry.connected)) {
    return registry.problem.empty() ? "the registry is being asked: wait a moment"
                                    : "the registry cannot be read: " + registry.problem;
  }
  if (!found->promoted) {
    return "no version was promoted in the registry: rebound-labels registry upload DIR, then "
           "rebound-labels promote --task " +
           name + " --version N; it is taken by itself";
  }
  const std::string version = "version " + std::to_string(found->promoted->version);
  if (!found->problem.empty()) {
    return version + " of the registry cannot be taken: " + found->problem;
  }
  return version + " is being fetched from the registry: wait a moment";
}

void WriteRegistryTask(const RegistryStatus& registry, const RegistryTask& task,
                       JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject().Key("connected").Bool(registry.connected);
  if (task.promoted) {
    w.Key("version").Int(task.promoted->version);
    w.Key("promoted_at").String(task.promoted->at).Key("promoted_by").String(task.promoted->by);
    w.Key("taken").Bool(task.taken);
  }
  const std::string& error = task.problem.empty() ? registry.problem : task.problem;
  if (!error.empty()) w.Key("error").String(error);
  w.EndObject();
}

void WriteRegistryMetrics(const RegistryStatus& registry, const std::vector<TaskStatus>& statuses,
                          std::chrono::system_clock::time_point now, MetricsText* text) {
  text->Gauge("rebound_registry_connected",
              "1 while the registry is read, 0 while it is away and what is on disk serves.",
              registry.connected ? 1 : 0);
  text->Begin("rebound_registry_version", MetricKind::kGauge,
              "The version of the task that was promoted last, as far as this server knows.");
  for (const RegistryTask& task : registry.tasks) {
    if (!task.promoted) continue;
    text->Sample({{"task", TaskName(task.task)}}, static_cast<uint64_t>(task.promoted->version));
  }
  text->Begin("rebound_registry_lag_seconds", MetricKind::kGauge,
              "Since the promotion of a version that does not serve here yet; 0 where it does.");
  for (const TaskStatus& status : statuses) {
    const RegistryTask* const task = registry.Find(status.task);
    if (task == nullptr) continue;
    text->Sample({{"task", TaskName(status.task)}}, RegistryLagSeconds(*task, status, now));
  }
  text->Begin("rebound_registry_fetches_total", MetricKind::kCounter,
              "Versions that were brought from the registry, and tries that failed.");
  for (const RegistryTask& task : registry.tasks) {
    text->Sample({{"task", TaskName(task.task)}, {"outcome", "fetched"}}, task.fetched);
    text->Sample({{"task", TaskName(task.task)}, {"outcome", "failed"}}, task.failures);
  }
}

}  // namespace rebound
