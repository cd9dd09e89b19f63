// The models that serve: which, reloading, taking one away. serve/promote_routes.h changes them.
// Thread-safe.
#pragma once

#include "models/task.h"
#include "serve/registry_status.h"
#include "serve/reload.h"
#include "serve/router.h"

namespace rebound {

class ModelRoutes {
 public:
  // `reloader` must outlive the object, and the object the router.
  ModelRoutes(Reloader* reloader, RegistryStatuses registry)
      : reloader_(reloader), registry_(std::move(registry)) {}

  void AddTo(Router* router) const;

 private:
  Response Models() const;
  Response Reload() const;
  Response Archive(const Call& call) const;
  TaskStatus StatusOfTask(Task task) const;

  Reloader* const reloader_;
  const RegistryStatuses registry_;
};

}  // namespace rebound
