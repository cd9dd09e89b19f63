// Family 3, reading: the routes of the postalsys classifier, one label a text, in the shapes of its
// results. Thread-safe.
#pragma once

#include "engine/engine.h"
#include "engine/ruling.h"
#include "serve/router.h"

namespace rebound {

class LabelRoutes {
 public:
  // `engine` must outlive the object, and the object the router.
  LabelRoutes(const Engine* engine, RuleSources rules, size_t max_batch)
      : engine_(engine), rules_(rules), max_batch_(max_batch) {}

  void AddTo(Router* router) const;

 private:
  Response Classify(const Call& call) const;
  Response Labels() const;
  static Response Definitions();
  Response ModelInfo() const;

  const Engine* const engine_;
  const RuleSources rules_;
  const size_t max_batch_;
};

}  // namespace rebound
