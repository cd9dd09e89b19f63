// What /v3/classify and /v3/dsn share: the whole answer to a text, by the models of one moment.
// Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/json.h"
#include "engine/answer.h"
#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "serve/cache.h"
#include "serve/metrics.h"
#include "serve/router.h"

namespace rebound {

// A text is explained in up to a hundred times as long as it is answered.
inline constexpr size_t kMaxExplainedTexts = 100;

class WholeAnswers {
 public:
  // The pointers must outlive the object. `tasks`: what the server is to serve; a request is
  // answered when all of them have a model.
  WholeAnswers(const Engine* engine, Cache* cache, const BackoffPolicyFile* policy,
               RuleSources rules, std::vector<Task> tasks)
      : engine_(engine), cache_(cache), policy_(policy), rules_(rules), tasks_(std::move(tasks)) {}

  // What all texts of one request are answered with. Must not outlive the WholeAnswers.
  struct Moment {
    ModelSet models;
    std::shared_ptr<const BackoffPolicy> policy;
    RuleSources rules;
    Cache* cache = nullptr;  // null: not asked
    AnswerOptions options;
    Metrics* metrics = nullptr;
    Shadow* shadow = nullptr;
  };

  // As the query asks: scores, explain, bypass_cache. Throws Refusal (400) for another parameter
  // and for no boolean. The models are not there yet.
  Moment Asked(const Call& call) const;
  // Throws Refusal (503) where one has no model yet.
  void TakeModels(Moment* moment) const;

  // Whether a rule of people speaks of the text.
  bool IsRuled(const Question& question) const {
    return rebound::IsRuled(rules_, question.kind, question.text, question.domain);
  }
  // One result, an object; counts and, at debug level, logs it.
  void Write(const Moment& moment, const Question& question, JsonWriter* writer) const;
  // The bundles that answered, an object.
  void WriteModels(const Moment& moment, JsonWriter* writer) const;

 private:
  const Engine* const engine_;
  Cache* const cache_;
  const BackoffPolicyFile* const policy_;
  const RuleSources rules_;
  const std::vector<Task> tasks_;
};

}  // namespace rebound
