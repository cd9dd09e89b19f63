#include "engine/explain.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tokenizer/characters.h"

namespace rebound {
namespace {

// Of a text that is too long to be weighed whole.
constexpr size_t kWindowUnits = 16;
constexpr size_t kWindowTokens = 64;

constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";

// The canonical bytes that each id of a word stands for; empty where that cannot be told (unknown
// characters) or the word is one of a script with blanks, whose words are explained whole.
std::vector<size_t> PieceBytes(const Encoder& encoder, std::string_view word,
                               std::span<const int32_t> ids) {
  if (!IsHigh(word.front()) || ClassifyHigh(word).kind != HighKind::kUnspaced) return {};
  std::vector<size_t> bytes;
  size_t sum = 0;
  for (const int32_t id : ids) {
    std::string_view piece = encoder.piece(id);
    if (piece.starts_with(kSpaceSymbol)) piece.remove_prefix(kSpaceSymbol.size());
    if (word.substr(sum, piece.size()) != piece) return {};
    sum += piece.size();
    bytes.push_back(piece.size());
  }
  return sum == word.size() ? bytes : std::vector<size_t>{};
}

}  // namespace

ExplainedSpan SpanOf(std::string_view text, std::string_view piece) {
  const auto begin = static_cast<size_t>(piece.data() - text.data());
  return {begin, begin + piece.size(), std::nullopt};
}

std::string_view DecidingCode(Task task, const StatusCodes& codes) {
  StatusCodes enhanced = codes;
  enhanced.reply = {};
  if (LabelOfStatusCodes(task, enhanced)) return codes.enhanced;
  if (LabelOfStatusCodes(task, codes)) return codes.reply;
  return {};
}

Explainer::Explainer(std::string_view text, Engine::Scratch* scratch)
    : text_(text), scratch_(scratch) {
  NormaliseWithSpans(text, &canonical_, &words_);
}

std::vector<ExplainedSpan> Explainer::Explain(Task task, const Classifier& classifier,
                                              const TaskAnswer& answer) {
  if (answer.source == AnswerSource::kStatusCode) {
    const std::string_view code = DecidingCode(task, FindStatusCodes(text_));
    if (code.empty()) return {};
    return {SpanOf(text_, code)};
  }
  if (answer.source != AnswerSource::kModel || answer.label != answer.model_label) return {};
  const size_t labels = classifier.config().labels.size();
  for (size_t i = 0; i < labels; ++i) {
    if (classifier.task_label(i) == answer.label) return Weigh(classifier, i);
  }
  return {};
}

std::vector<ExplainedSpan> Explainer::Weigh(const Classifier& classifier, size_t label) {
  classifier_ = &classifier;
  label_ = label;
  Encode(classifier.encoder());
  scratch_->run = nullptr;
  scratch_->probabilities.resize(classifier.config().labels.size());
  Choose();
  Weigh();

  std::vector<size_t> order(chosen_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [this](size_t a, size_t b) {
    return std::abs(weights_[a]) > std::abs(weights_[b]);
  });
  std::vector<ExplainedSpan> spans;
  for (const size_t i : order) {
    const auto weight = static_cast<float>(weights_[i]);
    if (spans.size() == kMaxExplained || !(std::abs(weight) >= kLeastWeight)) break;
    spans.push_back({chosen_[i].from, chosen_[i].to, weight});
  }
  return spans;
}

// Fills units_ and ids_: the ids of the text, as Encoder::Encode gives them, by unit.
void Explainer::Encode(const Encoder& encoder) {
  if (tokenizer_ == classifier_->tokenizer_sha256()) return;
  tokenizer_.clear();
  units_.clear();
  ids_.clear();
  for (size_t first = 0; first < words_.size();) {
    size_t last = first + 1;  // words of one token have one span
    while (last < words_.size() && words_[last].from == words_[first].from &&
           words_[last].to == words_[first].to) {
      ++last;
    }
    AddUnits(encoder, first, last);
    first = last;
  }
  tokenizer_ = classifier_->tokenizer_sha256();
}

void Explainer::AddUnits(const Encoder& encoder, size_t first, size_t last) {
  const SourceWord& word = words_[first];
  const size_t size = words_[last - 1].end - word.begin;
  const std::string_view canonical = std::string_view(canonical_).substr(word.begin, size);
  encoder.Encode(canonical, &scratch_->encoder, &word_ids_);
  std::vector<size_t> pieces;
  if (size == word.to - word.from) pieces = PieceBytes(encoder, canonical, word_ids_);
  size_t from = word.from;
  size_t begin = ids_.size();
  for (size_t i = 0; i < word_ids_.size(); ++i) {
    // A run of unknown characters is one unknown token, over words too.
    const bool repeats = !ids_.empty() && ids_.back() == encoder.unknown_id();
    if (!repeats || word_ids_[i] != encoder.unknown_id()) ids_.push_back(word_ids_[i]);
    if (pieces.empty() || pieces[i] == 0) continue;
    units_.push_back({from, from + pieces[i], begin, ids_.size()});
    from += pieces[i];
    begin = ids_.size();
  }
  if (pieces.empty()) units_.push_back({word.from, word.to, begin, ids_.size()});
}

// ln(p / (1 - p)) of the label, where 1 - p is the sum of the others: exact for p near 1.
double Explainer::LogOdds(std::span<const int32_t> ids) {
  constexpr double kSmallest = 1e-30;
  const std::span<float> p = scratch_->probabilities;
  classifier_->Score(ids, &scratch_->classifier, p);
  double others = 0;
  for (size_t i = 0; i < p.size(); ++i) others += i == label_ ? 0.0 : static_cast<double>(p[i]);
  return std::log(std::max(static_cast<double>(p[label_]), kSmallest)) -
         std::log(std::max(others, kSmallest));
}

// Fills chosen_ and chosen_ids_: all units, or those of the windows that speak most for the label.
void Explainer::Choose() {
  if (Fits(units_.size(), ids_.size())) {
    chosen_ = units_;
    chosen_ids_ = ids_;
    return;
  }
  struct Window {
    size_t first, last;  // of units_
    size_t tokens;
    double log_odds;
  };
  std::vector<Window> windows;
  for (size_t first = 0; first < units_.size();) {
    size_t last = first + 1;
    while (last < units_.size() && last - first < kWindowUnits &&
           units_[last].end - units_[first].begin <= kWindowTokens) {
      ++last;
    }
    const size_t tokens = units_[last - 1].end - units_[first].begin;
    const auto ids = std::span<const int32_t>(ids_).subspan(units_[first].begin, tokens);
    windows.push_back({first, last, tokens, LogOdds(ids)});
    first = last;
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.log_odds > b.log_odds; });
  size_t units = 0;
  size_t tokens = 0;
  size_t taken = 0;  // the first one in any case
  while (taken < windows.size()) {
    units += windows[taken].last - windows[taken].first;
    tokens += windows[taken].tokens;
    if (taken > 0 && !Fits(units, tokens)) break;
    ++taken;
  }
  windows.resize(taken);
  std::sort(windows.begin(), windows.end(),
            [](const Window& a, const Window& b) { return a.first < b.first; });
  chosen_.clear();
  chosen_ids_.clear();
  for (const Window& window : windows) {
    for (size_t i = window.first; i < window.last; ++i) {
      const Unit& unit = units_[i];
      const size_t begin = chosen_ids_.size();
      chosen_ids_.insert(chosen_ids_.end(), ids_.begin() + static_cast<ptrdiff_t>(unit.begin),
                         ids_.begin() + static_cast<ptrdiff_t>(unit.end));
      chosen_.push_back({unit.from, unit.to, begin, chosen_ids_.size()});
    }
  }
}

// Fills weights_.
void Explainer::Weigh() {
  const std::span<const int32_t> ids(chosen_ids_);
  weights_.assign(chosen_.size(), 0.0);
  const double none = LogOdds({});
  const double all = LogOdds(ids);
  double forwards = none;
  for (size_t i = 0; i < chosen_.size(); ++i) {
    const Unit& unit = chosen_[i];
    word_ids_.assign(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(unit.begin));
    word_ids_.insert(word_ids_.end(), ids.begin() + static_cast<ptrdiff_t>(unit.end), ids.end());
    const double last = all - LogOdds(word_ids_);
    const double first = LogOdds(ids.subspan(unit.begin, unit.end - unit.begin)) - none;
    const double with = LogOdds(ids.first(unit.end));
    weights_[i] = (last + first + with - forwards) / 4;
    forwards = with;
  }
  double backwards = none;
  for (size_t i = chosen_.size(); i-- > 0;) {
    const double with = LogOdds(ids.subspan(chosen_[i].begin));
    weights_[i] += (with - backwards) / 4;
    backwards = with;
  }
}

}  // namespace rebound
