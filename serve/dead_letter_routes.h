// Family 3: the contributions of the spool that the label store refused for good. They are this
// server's own, so these routes are answered while the store is away. Thread-safe.
#pragma once

#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

class DeadLetterRoutes {
 public:
  // As ReviewRoutes.
  explicit DeadLetterRoutes(Contributions* contributions) : contributions_(contributions) {}

  void AddTo(Router* router) const;

 private:
  Response List(const Call& call) const;
  Response Retry(const Call& call) const;
  Response Discard(const Call& call) const;

  Contributions* const contributions_;
};

}  // namespace rebound
