// Finds override rules that do nothing or too much. Pure, Thread-safe.
//
// What is told is proven: a rule is shadowed where one earlier rule matches every text that it
// matches, for every domain that it is for. A rule that only several others together make useless
// is not found. Costs one look-up a rule, or four.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/overrides/override_set.h"

namespace rebound {

enum class LintKind : uint8_t {
  kDuplicate,          // the same domain, code and pattern stand in an earlier rule
  kConflict,           // the same domain and pattern, with another code: the earlier one wins
  kShadowed,           // an earlier rule that is wider always wins
  kDead,               // its domain can be nobody's
  kMatchesEverything,  // matches every text, so it is the last word for its domain
};
// "duplicate", "conflict", "shadowed", "dead", "matches_everything".
std::string_view LintKindName(LintKind kind);

struct LintFinding {
  LintKind kind;
  std::string source;  // the list's
  uint32_t line;
  std::string rule;  // "domain,code,pattern"
  // The rule that wins; empty where there is none.
  std::string by_source;
  uint32_t by_line = 0;
  std::string by_rule;
  std::string message;  // "FILE:LINE: ...", for people

  bool operator==(const LintFinding&) const = default;
};

// By kind of text, the user's list before the system's, then line. A rule is told once, for the
// first reason of LintKind that holds but kMatchesEverything, which stands beside the others.
std::vector<LintFinding> LintOverrides(const OverrideSet& set);

// [{"kind","source","line","rule","by":{"source","line","rule"},"message"}, ...]
std::string LintJson(const std::vector<LintFinding>& findings);

}  // namespace rebound
