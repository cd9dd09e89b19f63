// What stands behind a rebound_answer. Immutable but for its JSON, which is made when it is asked
// for; Thread-safe.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer.h"
#include "engine/library/client.h"
#include "engine/library/rebound.h"

struct rebound_answer {
 public:
  // Of `text` (of ReadableText, not empty), by the models and rules of the moment.
  rebound_answer(const rebound::Moment& moment, std::string text, std::string domain,
                 rebound::BounceKind kind);
  // The facts alone.
  explicit rebound_answer(std::string text);
  rebound_answer(const rebound_answer&) = delete;
  rebound_answer& operator=(const rebound_answer&) = delete;

  const rebound::Answer& answer() const { return answer_; }
  // Null where the task was not asked.
  const rebound::TaskAnswer* Of(rebound::Task task) const;

  // Each once, then the same. May throw std::bad_alloc.
  const std::string& Json() const;
  const std::string& ScoresJson() const;
  const std::string& PostalsysJson() const;

  // Copies that end in NUL, of what the answer views; empty: does not apply.
  struct Texts {
    std::string smtp_code, enhanced_code, momentum_name, override_rule, override_source;
  };
  const Texts& texts() const { return texts_; }

 private:
  void CopyTexts();
  rebound::Answer WithScores() const;

  // What views and JSON need; the models go when nobody asks them any more.
  const std::shared_ptr<const rebound::Overrides> overrides_;   // null: none
  const std::shared_ptr<const rebound::BackoffPolicy> policy_;  // never null
  const std::string text_;
  const std::string domain_;
  rebound::Answer answer_;  // views into text_, domain_ and overrides_
  std::array<std::vector<float>, rebound::kTaskCount> scores_;
  Texts texts_;
  mutable std::mutex mutex_;  // for the rest
  mutable std::string json_, scores_json_, postalsys_json_;
};
