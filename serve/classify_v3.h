// Family 2: POST /v3/classify, one call that tells everything. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/answer.h"
#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "serve/cache.h"
#include "serve/router.h"

namespace rebound {

class ClassifyV3 {
 public:
  // The pointers must outlive the object, and the object the router. `tasks`: what the server is to
  // serve; a request is answered when all of them have a model.
  ClassifyV3(const Engine* engine, Cache* cache, const BackoffPolicyFile* policy,
             std::vector<Task> tasks, size_t max_batch)
      : engine_(engine),
        cache_(cache),
        policy_(policy),
        tasks_(std::move(tasks)),
        max_batch_(max_batch) {}

  void AddTo(Router* router) const;

 private:
  struct Moment;
  Response Classify(const Call& call) const;
  void WriteResult(const Moment& moment, const Question& question, JsonWriter* writer) const;

  const Engine* const engine_;
  Cache* const cache_;
  const BackoffPolicyFile* const policy_;
  const std::vector<Task> tasks_;
  const size_t max_batch_;
};

}  // namespace rebound
