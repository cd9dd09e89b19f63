// What the rules that people wrote say of a text: overrides, which go before the models, and text
// rules, which go after the overrides and before the status codes.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/engine.h"
#include "engine/explain.h"
#include "engine/overrides/overrides.h"
#include "engine/text_rules.h"

namespace rebound {

// The rules of a running program; null: none. Both are Thread-safe and outlive who asks them.
struct RuleSources {
  const Overrides* overrides = nullptr;
  const TextRuleFile* text_rules = nullptr;
  // The text rules that are asked; null: those of the moment, text by text.
  std::shared_ptr<const TextRules> taken = nullptr;

  // The same with the text rules of this moment: a request takes them once, as it takes its
  // models, so that no two of its texts are answered by different rules.
  RuleSources Take() const;
};

// Of one text. Keeps the rules that it names.
struct Ruling {
  OverrideMatch override;  // empty: none decided
  std::shared_ptr<const TextRules> rules;
  // By task, the position in rules->rules() of the text rule that names a label of it.
  std::array<std::optional<size_t>, kTaskCount> by_rule;

  // Nothing is ruled about any label: the models and the codes decide.
  bool empty() const;
};

// `domain`: the recipient's, empty where it is not known. Counts the override's hit.
// A reply of several lines is asked about as one line, and then as it stands.
Ruling FindRuling(const RuleSources& sources, BounceKind kind, std::string_view text,
                  std::string_view domain);

// The same of one kind of rules, for people: without a count.
std::optional<OverrideVerdict> TestOverrides(const Overrides& overrides, BounceKind kind,
                                             std::string_view text, std::string_view domain);
std::array<std::optional<size_t>, kTaskCount> FindTextRules(const TextRules& rules,
                                                            std::string_view text);

// Whether FindRuling would find anything, without a count.
bool IsRuled(const RuleSources& sources, BounceKind kind, std::string_view text,
             std::string_view domain);

struct RuledLabel {
  size_t label;
  AnswerSource source;  // kOverride or kRule
};
// The label of a task, given what the model alone says. An override's code maps into all tasks by
// the table of vocabularies; one that stands for no label (a custom class, an auto-reply) leaves
// them to the text rules. A text rule that names another task's label keeps the model's where both
// go together, and else brings the label that usually goes with its own. Pure.
std::optional<RuledLabel> LabelOfRuling(const Ruling& ruling, Task task, size_t model_label);

// Where the rule that decided the task matches the text, from line to line where the lines of a
// reply show it together; nullopt where none decided.
std::optional<ExplainedSpan> SpanOfRuling(const Ruling& ruling, Task task, std::string_view text);

}  // namespace rebound
