// The models that serve: which, reloading, taking one away. serve/promote_routes.h changes them.
// Thread-safe.
#pragma once

#include "models/task.h"
#include "serve/registry_status.h"
#include "serve/reload.h"
#include "serve/router.h"
#include "serve/shadow.h"

namespace rebound {

class ModelRoutes {
 public:
  // The pointers must outlive the object, and the object the router.
  ModelRoutes(Reloader* reloader, RegistryStatuses registry, const Shadow* shadow)
      : reloader_(reloader), registry_(std::move(registry)), shadow_(shadow) {}

  void AddTo(Router* router) const;

 private:
  Response Models() const;
  Response Reload() const;
  Response Archive(const Call& call) const;
  TaskStatus StatusOfTask(Task task) const;

  Reloader* const reloader_;
  const RegistryStatuses registry_;
  const Shadow* const shadow_;
};

}  // namespace rebound
