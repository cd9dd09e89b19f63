#include "engine/ruling.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/joined_reply.h"
#include "engine/overrides/fold.h"
#include "engine/vocabulary.h"

namespace rebound {
namespace {

bool AnyOf(const std::array<std::optional<size_t>, kTaskCount>& rules) {
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return rule.has_value(); });
}

// The labels that the override brings; null where it brings none.
const Cause* CauseOfOverride(const Ruling& ruling) {
  if (!ruling.override) return nullptr;
  const MomentumMeaning* meaning = FindMomentumMeaning(ruling.override.rule().code);
  return meaning == nullptr ? nullptr : meaning->cause;
}

bool GoTogether(Task task, size_t label, Task other_task, size_t other_label) {
  const auto causes = KnownCauses();
  return std::any_of(causes.begin(), causes.end(), [&](const Cause& cause) {
    return cause.labels[Index(task)] == label && cause.labels[Index(other_task)] == other_label;
  });
}

// The rule's pieces in the text, each as early as it can be. Folding may change how many bytes a
// character takes, so each folded byte remembers where its character stands.
std::optional<ExplainedSpan> SpanOfPattern(std::string_view pattern, std::string_view text) {
  std::string folded;
  std::vector<size_t> from;  // [folded] first byte of the character in the text
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeUtf8(text.substr(at));
    AppendUtf8(LowerCase(point.value), &folded);
    from.resize(folded.size(), at);
    at += point.bytes;
  }
  from.push_back(text.size());
  size_t begin = std::string::npos;
  size_t end = 0;
  for (const std::string& piece : PiecesOf(pattern)) {
    const size_t found = folded.find(piece, end);
    if (found == std::string::npos) return std::nullopt;
    begin = std::min(begin, found);
    end = found + piece.size();
  }
  if (begin == std::string::npos) return ExplainedSpan{0, text.size(), std::nullopt};
  return ExplainedSpan{from[begin], from[end], std::nullopt};
}

std::optional<ExplainedSpan> SpanOfRule(const TextRule& rule, std::string_view text) {
  const std::string_view match = MatchOf(rule, text);
  if (match.empty()) return std::nullopt;
  return SpanOf(text, match);
}

// The text rule that decides the task: its own, else the first of another task.
const TextRule* RuleOf(const Ruling& ruling, Task task) {
  if (ruling.rules == nullptr) return nullptr;
  if (const auto own = ruling.by_rule[Index(task)]) return &ruling.rules->rules()[*own];
  std::optional<size_t> first;
  for (const auto& position : ruling.by_rule) {
    if (position && (!first || *position < *first)) first = position;
  }
  return first ? &ruling.rules->rules()[*first] : nullptr;
}

// Rules are written for the one line that a reply is; who copied one line of several from a log is
// found too.
template <class Find>
auto FindInLines(std::string_view text, Find find) {
  if (!HasSeveralLines(text)) return find(text);
  auto found = find(JoinReply(text));
  return found ? found : find(text);
}

}  // namespace

RuleSources RuleSources::Take() const {
  return {overrides, text_rules, text_rules == nullptr ? nullptr : text_rules->Current()};
}

bool Ruling::empty() const { return CauseOfOverride(*this) == nullptr && !AnyOf(by_rule); }

std::optional<OverrideVerdict> TestOverrides(const Overrides& overrides, BounceKind kind,
                                             std::string_view text, std::string_view domain) {
  return FindInLines(text,
                     [&](std::string_view line) { return overrides.Test(kind, line, domain); });
}

std::array<std::optional<size_t>, kTaskCount> FindTextRules(const TextRules& rules,
                                                            std::string_view text) {
  if (rules.rules().empty()) return {};
  if (!HasSeveralLines(text)) return rules.Find(text);
  auto found = rules.Find(JoinReply(text));
  const auto as_written = rules.Find(text);
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) found[i] = as_written[i];
  }
  return found;
}

Ruling FindRuling(const RuleSources& sources, BounceKind kind, std::string_view text,
                  std::string_view domain) {
  Ruling ruling;
  if (sources.overrides != nullptr) {
    ruling.override = FindInLines(
        text, [&](std::string_view line) { return sources.overrides->Find(kind, line, domain); });
  }
  if (sources.text_rules == nullptr || CauseOfOverride(ruling) != nullptr) return ruling;
  if (sources.taken == nullptr) {
    ruling.rules = sources.text_rules->Current();
    ruling.by_rule = FindTextRules(*ruling.rules, text);
    return ruling;
  }
  ruling.by_rule = FindTextRules(*sources.taken, text);
  // Counted for the texts alone that a rule speaks of.
  if (AnyOf(ruling.by_rule)) ruling.rules = sources.taken;
  return ruling;
}

bool IsRuled(const RuleSources& sources, BounceKind kind, std::string_view text,
             std::string_view domain) {
  if (sources.overrides != nullptr && TestOverrides(*sources.overrides, kind, text, domain)) {
    return true;
  }
  if (sources.text_rules == nullptr) return false;
  if (sources.taken != nullptr) return AnyOf(FindTextRules(*sources.taken, text));
  return AnyOf(FindTextRules(*sources.text_rules->Current(), text));
}

std::optional<RuledLabel> LabelOfRuling(const Ruling& ruling, Task task, size_t model_label) {
  if (const Cause* cause = CauseOfOverride(ruling)) {
    return RuledLabel{cause->labels[Index(task)], AnswerSource::kOverride};
  }
  const TextRule* const rule = RuleOf(ruling, task);
  if (rule == nullptr) return std::nullopt;
  if (rule->task == task) return RuledLabel{rule->label, AnswerSource::kRule};
  if (GoTogether(rule->task, rule->label, task, model_label)) return std::nullopt;
  return RuledLabel{LikelyCause(rule->task, rule->label).labels[Index(task)], AnswerSource::kRule};
}

std::optional<ExplainedSpan> SpanOfRuling(const Ruling& ruling, Task task, std::string_view text) {
  const bool by_override = CauseOfOverride(ruling) != nullptr;
  const TextRule* const rule = by_override ? nullptr : RuleOf(ruling, task);
  if (!by_override && rule == nullptr) return std::nullopt;
  const auto find = [&](std::string_view in) {
    return by_override ? SpanOfPattern(ruling.override.rule().pattern, in) : SpanOfRule(*rule, in);
  };
  const auto span = find(text);
  if (span || !HasSeveralLines(text)) return span;
  const JoinedReply joined = JoinReplyWithPlaces(text);
  const auto in_line = find(joined.text);
  if (!in_line) return std::nullopt;
  return ExplainedSpan{joined.places[in_line->begin], joined.places[in_line->end - 1] + 1,
                       in_line->weight};
}

}  // namespace rebound
