// The candidate beside a task's model: name one, see what it says, end it. Thread-safe.
#pragma once

#include "serve/reload.h"
#include "serve/router.h"
#include "serve/shadow.h"

namespace rebound {

class ShadowRoutes {
 public:
  // The pointers must outlive the object, and the object the router.
  ShadowRoutes(Reloader* reloader, const Shadow* shadow) : reloader_(reloader), shadow_(shadow) {}

  void AddTo(Router* router) const;

 private:
  Response Report(const Call& call) const;
  Response Set(const Call& call) const;
  Response End(const Call& call) const;
  Task ServedTaskOf(const Call& call) const;
  Response ReportOf(const ShadowStatus& status) const;

  Reloader* const reloader_;
  const Shadow* const shadow_;
};

}  // namespace rebound
