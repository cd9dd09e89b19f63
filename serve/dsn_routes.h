// POST /v3/dsn: a whole message in, what it says about each recipient and the answer to it out.
// Thread-safe.
#pragma once

#include "serve/router.h"
#include "serve/whole_answers.h"

namespace rebound {

class DsnRoutes {
 public:
  // `answers` must outlive the object, and the object the router. Recipients beyond `max_batch` are
  // left out, and `truncated` says so: a sender cannot part a report as it can part a batch.
  DsnRoutes(const WholeAnswers* answers, size_t max_batch)
      : answers_(answers), max_batch_(max_batch) {}

  void AddTo(Router* router) const;

 private:
  Response Classify(const Call& call) const;

  const WholeAnswers* const answers_;
  const size_t max_batch_;
};

}  // namespace rebound
