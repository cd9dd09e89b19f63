// The models that serve: which, reloading, promoting and rolling back, taking one away.
// Thread-safe.
#pragma once

#include "models/task.h"
#include "serve/reload.h"
#include "serve/router.h"

namespace rebound {

class ModelRoutes {
 public:
  // `reloader` must outlive the object, and the object the router.
  explicit ModelRoutes(Reloader* reloader) : reloader_(reloader) {}

  void AddTo(Router* router) const;

 private:
  Response Models() const;
  Response Reload() const;
  Response Promote(const Call& call) const;
  Response Archive(const Call& call) const;
  TaskStatus StatusOfTask(Task task) const;

  Reloader* const reloader_;
};

}  // namespace rebound
