// What a server that follows the registry knows of it, for probes, operators and Prometheus.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "labelstore/model_registry.h"
#include "serve/metrics_text.h"
#include "serve/reload.h"

namespace rebound {

struct RegistryTask {
  Task task = Task::kBnac;
  std::optional<Promotion> promoted;  // the last that was seen; nullopt: none
  bool taken = false;                 // it is CURRENT here
  std::string problem;                // why not; empty: it is, or is on its way
  uint64_t fetched = 0;               // versions that were brought here, ever
  uint64_t failures = 0;              // ever, every try counted
};

struct RegistryStatus {
  bool connected = false;
  std::string problem;  // why not; empty: it is, or the first try is not over
  std::vector<RegistryTask> tasks;

  const RegistryTask* Find(Task task) const;  // null: not followed
};

// Of a server that does not follow: nullopt.
using RegistryStatuses = std::function<std::optional<RegistryStatus>()>;

// How long the promoted version has been promoted without serving here; 0 where it serves, or none
// was promoted. By this machine's clock. Pure.
double RegistryLagSeconds(const RegistryTask& task, const TaskStatus& status,
                          std::chrono::system_clock::time_point now);

// Why a task has no model, and what to do about it.
std::string WhyRegistryGaveNone(const RegistryStatus& registry, Task task);

// An object: connected, version, promoted_at, promoted_by, taken, error.
void WriteRegistryTask(const RegistryStatus& registry, const RegistryTask& task,
                       JsonWriter* writer);

void WriteRegistryMetrics(const RegistryStatus& registry, const std::vector<TaskStatus>& statuses,
                          std::chrono::system_clock::time_point now, MetricsText* text);

}  // namespace rebound
