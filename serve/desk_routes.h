// Family 3: what belongs to the reviewers' desk beside the queue: history and undo, agreement and
// settings, whom to trust and what the rules set aside. Thread-safe.
#pragma once

#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

class DeskRoutes {
 public:
  // As ReviewRoutes.
  explicit DeskRoutes(Contributions* contributions) : contributions_(contributions) {}

  void AddTo(Router* router) const;

 private:
  Response History(const Call& call) const;
  Response Undo(const Call& call) const;
  Response Agreement(const Call& call) const;
  Response Settings(const Call& call) const;
  Response ChangeSettings(const Call& call) const;
  Response Contributors(const Call& call) const;
  Response Quarantine(const Call& call) const;
  Response Release(const Call& call) const;

  Contributions* const contributions_;
};

}  // namespace rebound
