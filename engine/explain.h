// Which words of a text decided an answer, and how much: `?explain`. docs/explain.md has the method
// and what it was measured against.
//
// A word's weight is what it adds to the log-odds of the answered class: positive where it speaks
// for the class, negative where against; 0.7 doubles the odds, 2.3 makes them ten times as high.
// It is the mean over four places that the word may take: it joins last (the whole text with and
// without it), first (alone against nothing), and in the order of the text, forwards and backwards.
// So two words that say the same share what they add, where leaving out one of them would change
// nothing.
//
// Deterministic. Bounded: a text of more than kMaxExplainUnits words or kMaxExplainTokens tokens is
// cut into windows, the windows that by themselves speak most for the class are put together up to
// these limits, and words are weighed among them alone. So the time is that of one pass through the
// network over the text, and a constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "models/status_code.h"
#include "tokenizer/normaliser.h"

namespace rebound {

inline constexpr size_t kMaxExplainUnits = 64;
inline constexpr size_t kMaxExplainTokens = 256;
// Of an explanation; smaller weights are left out.
inline constexpr size_t kMaxExplained = 10;
inline constexpr float kLeastWeight = 0.2F;

// Bytes of the text. Spans of one explanation are not empty and apart, but for a page's name inside
// its URL, and cut no character of valid UTF-8.
struct ExplainedSpan {
  size_t begin, end;
  std::optional<float> weight;  // none where no model weighed: a code or a rule alone decided
  bool operator==(const ExplainedSpan&) const = default;
};

// The whole span of `piece`, a view into `text`: of a code, a fact, a rule's match. REQUIRES: it is
// one.
ExplainedSpan SpanOf(std::string_view text, std::string_view piece);

// Which of the two codes fixes the task's label: a view as in `codes`; empty where none does.
std::string_view DecidingCode(Task task, const StatusCodes& codes);

// Of one text. Thread-compatible.
class Explainer {
 public:
  // `scratch`: the prepared text that it holds is left as it is, but for the outputs of the
  // network. Both must outlive the object.
  Explainer(std::string_view text, Engine::Scratch* scratch);

  // What decided `answer`, which `classifier` and Engine::Decide gave for the text: of the model
  // the words, the weightiest first; of the fallback the code; nothing where the answer is
  // `unknown` because nobody was sure, and where rules decided (they know what they matched).
  std::vector<ExplainedSpan> Explain(Task task, const Classifier& classifier,
                                     const TaskAnswer& answer);

  // The words that speak for and against position `label` of the bundle's labels.
  std::vector<ExplainedSpan> Weigh(const Classifier& classifier, size_t label);

 private:
  // What is weighed as one: a word of people, which may be several of the canonical form (an
  // address and its provider's name) or, in writing without blanks, a piece of a run.
  struct Unit {
    size_t from, to;    // bytes of the text
    size_t begin, end;  // in ids_
  };

  void Encode(const Encoder& encoder);
  void AddUnits(const Encoder& encoder, size_t first, size_t last);
  bool Fits(size_t units, size_t tokens) const {
    return units <= kMaxExplainUnits && tokens <= kMaxExplainTokens;
  }
  double LogOdds(std::span<const int32_t> ids);
  void Choose();
  void Weigh();

  const std::string_view text_;
  Engine::Scratch* const scratch_;
  std::string canonical_;
  std::vector<SourceWord> words_;
  std::string tokenizer_;  // sha256 of the one that made units_ and ids_
  std::vector<Unit> units_;
  std::vector<int32_t> ids_;

  // Of one call of Weigh.
  const Classifier* classifier_ = nullptr;
  size_t label_ = 0;
  std::vector<Unit> chosen_;  // in the order of the text; places in chosen_ids_
  std::vector<int32_t> chosen_ids_;
  std::vector<double> weights_;  // [chosen_]
  std::vector<int32_t> word_ids_;
};

}  // namespace rebound
