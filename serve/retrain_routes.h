// Family 3: training from the API. Thread-safe.
#pragma once

#include "serve/router.h"
#include "serve/trainer.h"

namespace rebound {

class RetrainRoutes {
 public:
  // `trainer` must outlive the object, and the object the router; null: this server has no store to
  // train from, and the routes say so (503).
  explicit RetrainRoutes(Trainer* trainer) : trainer_(trainer) {}

  void AddTo(Router* router) const;

 private:
  Response Retrain(const Call& call) const;
  Response Status() const;
  Trainer& TrainerOrRefuse() const;

  Trainer* const trainer_;
};

}  // namespace rebound
