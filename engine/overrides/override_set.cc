#include "engine/overrides/override_set.h"

#include <utility>

#include "engine/overrides/fold.h"

namespace rebound {
namespace {

// No longer domain is one, and looking for its parents would take long.
constexpr size_t kMaxLookedUpDomain = 255;
// A folded text that a thread keeps the memory of; the engine's texts have 10,000 bytes at most.
constexpr size_t kMostKeptBytes = 64 * 1024;

std::string HitsKey(const OverrideRule& rule) {
  std::string key = rule.domain;
  key.append(1, '\0').append(std::to_string(rule.code)).append(1, '\0').append(rule.pattern);
  return key;
}

}  // namespace

OverrideList::OverrideList(std::string source, BounceKind kind, std::vector<OverrideRule> rules,
                           const OverrideList* before)
    : source_(std::move(source)), kind_(kind), rules_(std::move(rules)) {
  std::vector<std::vector<uint32_t>> members;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const auto [it, is_new] = by_scope_.emplace(rules_[i].domain, members.size());
    if (is_new) members.emplace_back();
    members[it->second].push_back(i);
    has_wildcards_ = has_wildcards_ || rules_[i].domain.starts_with("*.");
  }
  groups_.reserve(members.size());
  std::vector<std::string_view> patterns;
  for (std::vector<uint32_t>& group : members) {
    patterns.clear();
    for (const uint32_t rule : group) patterns.push_back(rules_[rule].pattern);
    group.shrink_to_fit();
    groups_.push_back({std::move(group), PatternMatcher(patterns)});
  }
  const auto all = by_scope_.find("");
  if (all != by_scope_.end()) for_all_ = &groups_[all->second];
  TakeHits(before);
}

void OverrideList::TakeHits(const OverrideList* before) {
  std::unordered_map<std::string, std::shared_ptr<RuleHits>> old;
  if (before != nullptr) {
    for (size_t i = 0; i < before->rules_.size(); ++i) {
      old.emplace(HitsKey(before->rules_[i]), before->hits_[i]);  // of equal rules the first counts
    }
  }
  hits_.reserve(rules_.size());
  for (const OverrideRule& rule : rules_) {
    std::shared_ptr<RuleHits> hits;
    if (!old.empty()) {
      if (const auto it = old.find(HitsKey(rule)); it != old.end()) {
        hits = std::exchange(it->second, nullptr);
      }
    }
    hits_.push_back(hits != nullptr ? std::move(hits) : std::make_shared<RuleHits>());
  }
}

size_t OverrideList::FindInScope(std::string_view folded, std::string_view scope) const {
  const auto it = by_scope_.find(scope);
  return it == by_scope_.end() ? kNone : groups_[it->second].Find(folded);
}

size_t OverrideList::Find(std::string_view folded, std::string_view domain) const {
  const bool has_scopes = by_scope_.size() > (for_all_ != nullptr ? 1 : 0);
  if (has_scopes && !domain.empty() && domain.size() <= kMaxLookedUpDomain) {
    // A domain that begins with "*." is none; its rules are for what lies below.
    if (!domain.starts_with("*.")) {
      const size_t found = FindInScope(folded, domain);
      if (found != kNone) return found;
    }
    if (has_wildcards_) {
      std::string scope;
      size_t dot = domain.find('.');
      for (; dot != std::string_view::npos; dot = domain.find('.', dot + 1)) {
        scope.assign("*").append(domain.substr(dot));
        const size_t found = FindInScope(folded, scope);
        if (found != kNone) return found;
      }
    }
  }
  return for_all_ == nullptr ? kNone : for_all_->Find(folded);
}

size_t OverrideList::bytes() const {
  constexpr size_t kMapEntry = 40;
  constexpr size_t kHits = sizeof(RuleHits) + 16;
  size_t all = sizeof(*this) + by_scope_.size() * kMapEntry +
               rules_.capacity() * sizeof(OverrideRule) +
               hits_.size() * (sizeof(std::shared_ptr<RuleHits>) + kHits);
  for (const OverrideRule& rule : rules_) {
    for (const std::string* text : {&rule.domain, &rule.pattern}) {
      if (text->capacity() > 15) all += text->capacity() + 1;
    }
  }
  for (const Group& group : groups_) {
    all += sizeof group + group.rules.capacity() * 4 + group.matcher.bytes();
  }
  return all;
}

OverrideMatch OverrideSet::Find(BounceKind kind, std::string_view text,
                                std::string_view domain) const {
  const auto& lists = lists_[static_cast<size_t>(kind)];
  if (lists[0] == nullptr && lists[1] == nullptr) return {};
  // One a thread, so that a text costs no memory of its own.
  thread_local std::string folded;
  if (folded.capacity() > kMostKeptBytes && text.size() <= kMostKeptBytes) {
    std::string().swap(folded);
  }
  FoldInto(text, &folded);
  const std::string folded_domain =
      domain.size() <= kMaxLookedUpDomain + 1 ? FoldDomain(domain) : std::string();
  for (const auto& list : lists) {
    if (list == nullptr) continue;
    const size_t found = list->Find(folded, folded_domain);
    if (found != OverrideList::kNone) return {list, found};
  }
  return {};
}

bool OverrideSet::empty() const {
  for (const auto& of_kind : lists_) {
    for (const auto& list : of_kind) {
      if (list != nullptr && !list->rules().empty()) return false;
    }
  }
  return true;
}

void CountHit(const OverrideMatch& match, std::chrono::system_clock::time_point now) {
  if (!match) return;
  RuleHits& hits = match.list->hits(match.index);
  hits.count.fetch_add(1, std::memory_order_relaxed);
  hits.last.store(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count(),
                  std::memory_order_relaxed);
}

}  // namespace rebound
