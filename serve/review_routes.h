// Family 3: the queue of contributions, what reviewers decide about them, and counts. Thread-safe.
#pragma once

#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

class ReviewRoutes {
 public:
  // `contributions` must outlive the object, and the object the router; null: this server has no
  // store, and the routes say so (503).
  explicit ReviewRoutes(Contributions* contributions) : contributions_(contributions) {}

  void AddTo(Router* router) const;

 private:
  Response List(const Call& call) const;
  Response Show(const Call& call) const;
  Response Cluster(const Call& call) const;
  Response Decide(const Call& call) const;
  Response DecideMany(const Call& call) const;
  Response Stats(const Call& call) const;

  Contributions* const contributions_;
};

}  // namespace rebound
