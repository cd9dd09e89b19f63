// Family 2: POST /v3/classify, one call that tells everything. Thread-safe.
#pragma once

#include "serve/router.h"
#include "serve/whole_answers.h"

namespace rebound {

class ClassifyV3 {
 public:
  // `answers` must outlive the object, and the object the router.
  ClassifyV3(const WholeAnswers* answers, size_t max_batch)
      : answers_(answers), max_batch_(max_batch) {}

  void AddTo(Router* router) const;

 private:
  Response Classify(const Call& call) const;

  const WholeAnswers* const answers_;
  const size_t max_batch_;
};

}  // namespace rebound
