// Which of many rules of Momentum's kind is the first, in their order, to match a text.
//
// A rule with `|` is a glob whose wildcard is `|`: its pieces stand in the text one after the
// other, apart or not. One without is a plain substring. Both match anywhere, without case
// (overrides/fold.h). A rule of nothing but `|` matches every text.
//
// A literal costs time linear in the text, however many rules there are. Globs that begin alike are
// one until they part, and a piece that is found is looked at once for every beginning that it may
// continue. Immutable.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

class PatternMatcher {
 public:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  // Of no rules: nothing matches. REQUIRES: no rule is empty; fewer than 2^32 rules.
  explicit PatternMatcher(const std::vector<std::string_view>& rules);
  ~PatternMatcher();
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;

  // The position of the first rule that matches, or kNone. REQUIRES: `folded` is Fold(text).
  size_t Find(std::string_view folded) const;

  // Memory, nearly.
  size_t bytes() const;

  // Find without the filter in front: for the benchmark that judges it.
  size_t FindUnfiltered(std::string_view folded) const;

 private:
  struct Few;
  struct Many;
  std::unique_ptr<const Few> few_;    // where looking for one rule after the other is fastest
  std::unique_ptr<const Many> many_;  // or this
};

// The pieces of a rule, folded, without the empty ones: "User||unknown|" is "user", "unknown".
std::vector<std::string> PiecesOf(std::string_view rule);

}  // namespace rebound
