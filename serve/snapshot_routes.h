// Family 3: snapshots, which training runs learn from: freezing the store, which there are, their
// rows. Thread-safe.
#pragma once

#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

class SnapshotRoutes {
 public:
  // As ReviewRoutes.
  explicit SnapshotRoutes(Contributions* contributions) : contributions_(contributions) {}

  void AddTo(Router* router) const;

 private:
  Response Make(const Call& call) const;
  Response MadeLast(const Call& call) const;
  Response List(const Call& call) const;
  Response Rows(const Call& call) const;

  Contributions* const contributions_;
};

}  // namespace rebound
