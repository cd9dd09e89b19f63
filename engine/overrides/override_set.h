// The rules of up to four lists, compiled: the rule that decides about a text.
//
// The user's list goes before the system's. Within a list the rules of the recipient's very domain
// go first, then those of `*.` domains, the longest first, then those for all domains; among equals
// the order of the list. The first that matches wins. Lists and sets are Immutable and shared; only
// the hit counts move.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/overrides/pattern_matcher.h"
#include "engine/overrides/rule_list.h"

namespace rebound {

// How often a rule decided. Shared by the same rule of successive lists.
struct RuleHits {
  std::atomic<uint64_t> count{0};
  std::atomic<int64_t> last{0};  // seconds since 1970, 0: never
};

class OverrideList {
 public:
  // `source` names the file or data source and is shown to people. Rules that `before` has too
  // (domain, code and pattern the same) keep their hits; it may be null.
  OverrideList(std::string source, BounceKind kind, std::vector<OverrideRule> rules,
               const OverrideList* before = nullptr);
  OverrideList(const OverrideList&) = delete;
  OverrideList& operator=(const OverrideList&) = delete;

  static constexpr size_t kNone = PatternMatcher::kNone;

  // The position in rules() of the rule that decides, or kNone. REQUIRES: `folded` is Fold(text),
  // `domain` FoldDomain(domain) or empty.
  size_t Find(std::string_view folded, std::string_view domain) const;

  // The same for the rules of one scope alone, which is an OverrideRule::domain.
  size_t FindInScope(std::string_view folded, std::string_view scope) const;

  const std::string& source() const { return source_; }
  BounceKind kind() const { return kind_; }
  const std::vector<OverrideRule>& rules() const { return rules_; }
  RuleHits& hits(size_t rule) const { return *hits_[rule]; }
  // Memory, nearly.
  size_t bytes() const;

 private:
  struct Group {
    std::vector<uint32_t> rules;  // in their order
    PatternMatcher matcher;

    size_t Find(std::string_view folded) const {
      const size_t found = matcher.Find(folded);
      return found == kNone ? kNone : rules[found];
    }
  };
  void TakeHits(const OverrideList* before);

  const std::string source_;
  const BounceKind kind_;
  const std::vector<OverrideRule> rules_;
  std::vector<std::shared_ptr<RuleHits>> hits_;  // by rule
  std::vector<Group> groups_;
  std::unordered_map<std::string_view, size_t> by_scope_;  // views into rules_
  const Group* for_all_ = nullptr;
  bool has_wildcards_ = false;
};

// A rule that decided; the list is null where none did.
struct OverrideMatch {
  std::shared_ptr<const OverrideList> list;
  size_t index = 0;

  explicit operator bool() const { return list != nullptr; }
  const OverrideRule& rule() const { return list->rules()[index]; }
};

class OverrideSet {
 public:
  // By kind, the user's before the system's; null: there is no such list.
  using Lists = std::array<std::array<std::shared_ptr<const OverrideList>, 2>, 2>;

  OverrideSet() = default;
  explicit OverrideSet(Lists lists) : lists_(std::move(lists)) {}

  // `domain` is the recipient's, empty where it is not known: then rules for domains are left out,
  // as they are for one of more than 255 bytes. Counts no hit. Linear in the text.
  OverrideMatch Find(BounceKind kind, std::string_view text, std::string_view domain) const;

  const Lists& lists() const { return lists_; }
  bool empty() const;

 private:
  Lists lists_;
};

// Relaxed, without a lock.
void CountHit(const OverrideMatch& match, std::chrono::system_clock::time_point now);

}  // namespace rebound
