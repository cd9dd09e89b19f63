// Family 1: classification as Halon's clients call it, and the normaliser. Thread-safe.
#pragma once

#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "engine/ruling.h"
#include "serve/cache.h"
#include "serve/router.h"

namespace rebound {

class ClassifyRoutes {
 public:
  // The pointers must outlive the object, and the object the router.
  ClassifyRoutes(const Engine* engine, Cache* cache, const BackoffPolicyFile* policy,
                 RuleSources rules, size_t max_batch)
      : engine_(engine), cache_(cache), policy_(policy), rules_(rules), max_batch_(max_batch) {}

  void AddTo(Router* router) const;

 private:
  struct Shape;
  Response Classify(const Call& call, const Shape& shape) const;
  Response NormaliseTexts(const Call& call) const;

  const Engine* const engine_;
  Cache* const cache_;
  const BackoffPolicyFile* const policy_;
  const RuleSources rules_;
  const size_t max_batch_;
};

}  // namespace rebound
