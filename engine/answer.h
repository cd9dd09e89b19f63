// The whole answer to one text: what /v3/classify, `rebound` and librebound give, the same for all.
// Pure but for the models and rules it is handed; Thread-safe with one Scratch a thread.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "engine/explain.h"
#include "engine/facts.h"
#include "engine/overrides/bounce_code.h"
#include "engine/ruling.h"
#include "engine/verdict.h"

namespace rebound {

// `bytes` as a text that can be asked about: what is no UTF-8 replaced, trimmed, cut at
// kMaxTextBytes on a code point border. Empty: they were blank.
std::string ReadableText(std::string_view bytes);

struct Question {
  std::string_view text;         // as ReadableText gives it, not empty
  std::string_view domain = {};  // the recipient's; empty: not known
  BounceKind kind = BounceKind::kSmtp;
  size_t offset = 0;  // of the text in what the client gave: where trimming began to leave it
};

struct AnswerOptions {
  std::span<const Task> tasks = kTasks;  // those that the caller serves
  bool scores = false;                   // the probability of every label
  bool explain = false;                  // the words that decided: some 20 times the work
};

// The model's output alone for the text that Engine::Prepare put into the scratch: from a cache
// where the caller has one.
using Predictor = std::function<Prediction(const ModelSet&, Task, Engine::Scratch*)>;

struct Answer {
  struct OfTask {
    Prediction prediction;
    TaskAnswer answer;
    std::vector<float> scores;             // by position in TaskLabels; empty: not asked
    std::vector<ExplainedSpan> explained;  // of the question's text; empty: not asked, or nothing
  };
  Question question;
  Ruling ruling;
  std::array<std::optional<OfTask>, kTaskCount> tasks;  // nullopt: not asked
  Facts facts;
  bool is_explained = false;
  // What all three tasks together say; nullopt where one was not asked.
  std::optional<Verdict> verdict;
  std::optional<BounceCode> momentum;
};

// Views of the answer are into the question and the rules. REQUIRES: models.Get(task) for each of
// options.tasks.
Answer AnswerQuestion(const ModelSet& models, const RuleSources& rules, const Question& question,
                      const AnswerOptions& options, const Predictor& predict,
                      Engine::Scratch* scratch);

// One result of /v3/classify, an object. `policy` gives the fields and actions of the backoff
// class.
void WriteAnswer(const Answer& answer, const BackoffPolicy& policy, JsonWriter* writer);
// The same without the braces, into an object that is open.
void WriteAnswerFields(const Answer& answer, const BackoffPolicy& policy, JsonWriter* writer);
// The action label's answer, an object in the shape of the postalsys classifier (/api/classify).
void WriteLabelAnswer(const Answer& answer, JsonWriter* writer);
// The bundles that answered: {"bnac":{"version","hash","trained_at"},…}.
void WriteModels(const ModelSet& models, std::span<const Task> tasks, JsonWriter* writer);
// `"scores":{"label":probability,…}`, of what Engine::Score filled.
void WriteScores(Task task, std::span<const float> by_label, JsonWriter* writer);

}  // namespace rebound
