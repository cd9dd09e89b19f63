#include "engine/overrides/overrides.h"

#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr std::chrono::seconds kLookEvery(1);
constexpr size_t kLoggedTextBytes = 500;

std::string ListName(BounceKind kind, bool is_user) {
  return std::string(is_user ? "user " : "system ") + std::string(BounceKindName(kind));
}

}  // namespace

Overrides::Overrides(OverrideConfig config, DatasourceReader reader, bool has_thread)
    : config_(std::move(config)),
      reader_(std::move(reader)),
      refreshed_at_(Clock::now()),
      current_(std::make_shared<const OverrideSet>()) {
  for (const std::string& warning : config_.warnings) {
    Log(LogLevel::kWarning, "overrides option left out", {{"what", warning}});
  }
  const std::lock_guard work(work_mutex_);
  for (const BounceKind kind : {BounceKind::kSmtp, BounceKind::kMdn}) {
    for (const bool is_user : {true, false}) {
      const RuleSourceConfig& source = config_.sources[static_cast<size_t>(kind)][is_user ? 0 : 1];
      if (!source.is_used()) continue;
      List& list = lists_.emplace_back();
      list.kind = list.status.kind = kind;
      list.is_user = list.status.is_user = is_user;
      list.source = source;
      list.status.source = source.Description();
      if (!source.datasource.empty()) {
        list.cache_life = config_.datasources.at(source.datasource).cache_life;
      }
      Read(&list, refreshed_at_, true);
    }
  }
  Publish();
  if (!has_thread) return;
  thread_.Start([this] {
    while (thread_.Pause(kLookEvery)) Tick(Clock::now());
  });
}

std::shared_ptr<const OverrideSet> Overrides::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

OverrideMatch Overrides::Find(BounceKind kind, std::string_view text,
                              std::string_view domain) const {
  const std::shared_ptr<const OverrideSet> set = Current();
  OverrideMatch match = set->Find(kind, text, domain);
  if (!match) return match;
  CountHit(match, std::chrono::system_clock::now());
  const auto of_kind = static_cast<size_t>(kind);
  const size_t list = match.list == set->lists()[of_kind][0] ? 0 : 1;
  hits_[of_kind][list].fetch_add(1, std::memory_order_relaxed);
  return match;
}

std::optional<OverrideVerdict> Overrides::Test(BounceKind kind, std::string_view text,
                                               std::string_view domain) const {
  const std::shared_ptr<const OverrideSet> set = Current();
  const OverrideMatch match = set->Find(kind, text, domain);
  if (!match) return std::nullopt;
  return OverrideVerdict{*codes().Find(match.rule().code), match.rule(), match.list->source(),
                         match.list == set->lists()[static_cast<size_t>(kind)][0]};
}

std::vector<OverrideListStatus> Overrides::Reload(Clock::time_point now) {
  {
    const std::lock_guard work(work_mutex_);
    for (List& list : lists_) Read(&list, now, false);
    refreshed_at_ = now;
    Publish();
  }
  return Status(now);
}

void Overrides::Tick(Clock::time_point now) {
  const std::lock_guard work(work_mutex_);
  const bool is_due = now - refreshed_at_ >= config_.refresh;
  bool has_read = false;
  for (List& list : lists_) {
    const bool is_file = list.source.datasource.empty();
    if (is_due || (is_file && MarkOf(list.source) != list.mark)) {
      Read(&list, now, false);
      has_read = true;
    } else if (!list.status.last_error.empty() && !list.status.expired) {
      Expire(&list, now);
      has_read = has_read || list.status.expired;
    }
  }
  if (is_due) refreshed_at_ = now;
  if (has_read) Publish();
}

std::optional<Overrides::FileMark> Overrides::MarkOf(const RuleSourceConfig& source) {
  struct stat info {};
  if (!source.datasource.empty() || ::stat(source.file.c_str(), &info) != 0) return std::nullopt;
  return FileMark{static_cast<uintmax_t>(info.st_size),
                  info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec, info.st_ino};
}

void Overrides::Read(List* list, Clock::time_point now, bool is_first) {
  // Before the bytes: a file that changes meanwhile is read again.
  list->mark = MarkOf(list->source);
  OverrideListStatus& status = list->status;
  bool is_missing = false;
  try {
    TakeRules(list, ReadRules(list->source, list->kind, config_, reader_));
  } catch (const std::exception& e) {
    const auto* error = dynamic_cast<const Error*>(&e);
    const ErrorCode code = error != nullptr ? error->code() : ErrorCode::kInternal;
    is_missing = code == ErrorCode::kNotFound && !list->source.is_given;
    if (!is_missing) {
      const bool is_away = !list->source.datasource.empty() && code == ErrorCode::kUnavailable;
      if (is_first && !is_away) {
        throw Error(
            code, "the overrides' " + ListName(list->kind, list->is_user) + " rules: " + e.what());
      }
      Fail(list, e.what());
      Expire(list, now);
      return;
    }
    // Its rules are gone with it.
    if (list->compiled != nullptr) TakeRules(list, {});
  }
  list->read_at = now;
  status.loaded_at = std::chrono::system_clock::now();
  status.missing = is_missing;
  status.rules = list->parsed.rules.size();
  status.stale = status.expired = false;
  status.last_error.clear();
  ++status.refreshes;
}

void Overrides::TakeRules(List* list, ParsedRules parsed) {
  if (list->compiled != nullptr && list->parsed == parsed) return;
  // Expired rules may come back; what they counted goes on.
  auto compiled = std::make_shared<const OverrideList>(list->source.Description(), list->kind,
                                                       parsed.rules, list->compiled.get());
  list->compiled = std::move(compiled);
  list->status.rules = parsed.rules.size();
  list->status.bad = parsed.bad;
  list->status.bad_count = parsed.bad_count;
  list->parsed = std::move(parsed);
  Log(LogLevel::kInfo, "overrides loaded",
      {{"list", ListName(list->kind, list->is_user)},
       {"source", list->status.source},
       {"rules", std::to_string(list->status.rules)},
       {"bad_lines", std::to_string(list->status.bad_count)}});
  for (const BadLine& line : list->parsed.bad) {
    Log(LogLevel::kWarning, "override line left out", {{"what", line.what}});
  }
}

void Overrides::Fail(List* list, const std::string& error) {
  OverrideListStatus& status = list->status;
  ++status.failures;
  status.stale = !status.expired && list->compiled != nullptr;
  if (std::exchange(status.last_error, error) != error) {
    Log(LogLevel::kError, "overrides not read, the older ones go on",
        {{"list", ListName(list->kind, list->is_user)}, {"cause", error}});
  }
}

void Overrides::Expire(List* list, Clock::time_point now) {
  OverrideListStatus& status = list->status;
  if (status.expired || !list->read_at || list->cache_life.count() == 0 ||
      now - *list->read_at <= list->cache_life) {
    return;
  }
  status.expired = true;
  status.stale = false;
  status.rules = 0;
  Log(LogLevel::kError, "overrides dropped: not read for longer than cache_life",
      {{"list", ListName(list->kind, list->is_user)}, {"source", status.source}});
}

void Overrides::Publish() {
  OverrideSet::Lists lists;
  for (const List& list : lists_) {
    if (list.status.expired) continue;
    lists[static_cast<size_t>(list.kind)][list.is_user ? 0 : 1] = list.compiled;
  }
  auto next = std::make_shared<const OverrideSet>(std::move(lists));
  decltype(published_) published;
  for (const List& list : lists_) published.emplace_back(list.status, list.read_at);
  const std::lock_guard lock(mutex_);
  current_.swap(next);
  published_.swap(published);
}

std::vector<OverrideListStatus> Overrides::Status(Clock::time_point now) const {
  std::vector<OverrideListStatus> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [status, read_at] : published_) {
    all.push_back(status);
    all.back().hits = hits_[static_cast<size_t>(status.kind)][status.is_user ? 0 : 1].load(
        std::memory_order_relaxed);
    if (read_at) all.back().age = std::chrono::duration_cast<std::chrono::seconds>(now - *read_at);
  }
  return all;
}

std::vector<RuleUse> Overrides::Uses(size_t most) const {
  struct Used {
    uint64_t hits;
    const OverrideList* list;
    size_t rule;
  };
  const std::shared_ptr<const OverrideSet> set = Current();
  std::vector<Used> used;
  for (const auto& of_kind : set->lists()) {
    for (const auto& list : of_kind) {
      for (size_t i = 0; list != nullptr && i < list->rules().size(); ++i) {
        const uint64_t hits = list->hits(i).count.load(std::memory_order_relaxed);
        if (hits != 0) used.push_back({hits, list.get(), i});
      }
    }
  }
  std::stable_sort(used.begin(), used.end(),
                   [](const Used& a, const Used& b) { return a.hits > b.hits; });
  if (used.size() > most) used.resize(most);
  std::vector<RuleUse> uses;
  for (const Used& one : used) {
    RuleUse& use = uses.emplace_back();
    use.source = one.list->source();
    use.rule = one.list->rules()[one.rule];
    use.hits = one.hits;
    const int64_t last = one.list->hits(one.rule).last.load(std::memory_order_relaxed);
    if (last != 0) use.last_hit = std::chrono::system_clock::from_time_t(last);
  }
  return uses;
}

void LogClassified(std::string_view text, std::string_view class_name, std::string_view rule) {
  if (!IsLogged(LogLevel::kDebug)) return;
  Log(LogLevel::kDebug, "classified",
      {{"class", std::string(class_name)},
       {"rule", rule.empty() ? "none" : std::string(rule)},
       {"text", std::string(CutUtf8(text, kLoggedTextBytes))}});
}

}  // namespace rebound
