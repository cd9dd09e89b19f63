#include "serve/registry_follower.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "engine/load.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;

// How soon the thread notices a stop or a wake.
constexpr milliseconds kRound(200);

// While the registry is away: from a fifth of a second to two.
milliseconds AwayPause(int rounds) {
  constexpr milliseconds kMost(2000);
  return std::min(kMost, milliseconds(200) * (1 << std::clamp(rounds - 1, 0, 4)));
}

}  // namespace

FollowStep NextFollow(const FollowState& state, std::optional<int> current,
                      ReloadClock::time_point now, bool forced) {
  if (!state.promoted) return FollowStep::kNothing;
  const bool stands = state.taken == state.promoted->id && current == state.promoted->version;
  if (stands) return FollowStep::kNothing;
  if (state.failures > 0 && !forced && now < state.retry_at) return FollowStep::kWait;
  return FollowStep::kTake;
}

RegistryFollower::RegistryFollower(FollowerOptions options, Reloader* reloader)
    : options_(std::move(options)),
      description_(DescribePostgres(options_.uri)),
      reloader_(reloader),
      bundles_(reloader->store()) {
  for (const TaskStatus& status : reloader->Statuses()) {
    entries_.emplace_back().status.task = status.task;
  }
}

void RegistryFollower::Run() {
  do {
    Follow(kRound);
  } while (thread_.Pause(away_ > 0 ? AwayPause(away_) : milliseconds(0)));
}

PostgresOptions RegistryFollower::Limits() {
  PostgresOptions limits;
  limits.connect_timeout = std::chrono::seconds(3);
  limits.statement_timeout = std::chrono::seconds(60);
  limits.transaction_limit = std::chrono::seconds(90);
  limits.application_name = "rebound-serve";
  limits.pause = [this](milliseconds time) {
    if (!thread_.Pause(time)) throw Error(ErrorCode::kCancelled, "the server stops");
  };
  return limits;
}

ModelRegistry& RegistryFollower::registry() {
  if (registry_ == nullptr) registry_ = std::make_unique<ModelRegistry>(options_.uri, Limits());
  return *registry_;
}

RegistryStatus RegistryFollower::Status() const {
  const std::lock_guard lock(mutex_);
  RegistryStatus status{connected_, problem_, {}};
  for (const Entry& entry : entries_) status.tasks.push_back(entry.status);
  return status;
}

void RegistryFollower::Follow(milliseconds patience) {
  const bool woken = woken_.exchange(false);
  const bool look = woken || ReloadClock::now() >= next_look_;
  const bool was_away = !connected_;
  if (!Read(look ? milliseconds(0) : patience, look)) return;
  // Who was away looks at everything, and what failed meanwhile is tried at once.
  for (Entry& entry : entries_) LookAt(&entry, look || was_away, woken || was_away);
}

// What was promoted, as far as it is new. `look`: whatever the listener says. False where the
// registry cannot be read.
bool RegistryFollower::Read(milliseconds patience, bool look) {
  try {
    if (listener_ == nullptr) {
      listener_ = std::make_unique<PromotionListener>(options_.uri, Limits());
    }
    std::vector<Promotion> news = listener_->WaitForPromotion(patience);
    if (look) {
      for (const Entry& entry : entries_) {
        if (auto current = registry().Current(entry.status.task)) {
          news.push_back(std::move(*current));
        }
      }
      next_look_ = ReloadClock::now() + options_.look_every;
    }
    for (const Promotion& promotion : news) {
      for (Entry& entry : entries_) {
        if (entry.status.task == promotion.task) Note(&entry, promotion);
      }
    }
  } catch (const std::exception& e) {
    // Both anew: a connection that went silent would stay so.
    listener_.reset();
    registry_.reset();
    Disconnected(e.what());
    return false;
  }
  Connected();
  return true;
}

void RegistryFollower::Note(Entry* entry, const Promotion& promotion) {
  FollowState& state = entry->state;
  // Another one, not a later one: a database that was restored counts on from where it was.
  if (state.promoted && promotion.id == state.promoted->id) return;
  Log(LogLevel::kInfo, "promoted in the registry",
      {{"task", std::string(TaskName(promotion.task))},
       {"version", std::to_string(promotion.version)},
       {"rollback", promotion.rollback ? "true" : "false"},
       {"by", promotion.by},
       {"at", promotion.at}});
  state.promoted = promotion;
  state.failures = 0;
  const std::lock_guard lock(mutex_);
  entry->status.promoted = promotion;
  entry->status.taken = false;
  entry->status.problem.clear();
}

void RegistryFollower::Connected() {
  away_ = 0;
  if (connected_) return;
  Log(LogLevel::kInfo, "following the registry", {{"registry", description_}});
  const std::lock_guard lock(mutex_);
  connected_ = true;
  problem_.clear();
}

void RegistryFollower::Disconnected(const std::string& why) {
  ++away_;
  if (thread_.IsStopping()) return;
  const std::lock_guard lock(mutex_);
  if (connected_ || problem_.empty()) {
    Log(LogLevel::kWarning, "the registry cannot be read: what is on disk serves",
        {{"registry", description_}, {"cause", why}});
  }
  connected_ = false;
  problem_ = why;
}

void RegistryFollower::LookAt(Entry* entry, bool look, bool forced) {
  FollowState& state = entry->state;
  if (!state.promoted) return;
  const Promotion promotion = *state.promoted;
  std::optional<int> current = promotion.version;  // nobody looks whether it was changed here
  if (look || state.taken != promotion.id) {
    try {
      current = bundles_.Current(promotion.task);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kCorrupt) return Failed(entry, promotion, e.what());
      current.reset();
    }
  }
  if (NextFollow(state, current, ReloadClock::now(), forced) != FollowStep::kTake) return;
  if (state.taken == promotion.id && state.failures == 0) {
    Log(LogLevel::kWarning, "CURRENT was changed here: the registry decides",
        {{"task", std::string(TaskName(promotion.task))},
         {"current", current ? std::to_string(*current) : "none"},
         {"promoted", std::to_string(promotion.version)}});
  }
  try {
    Take(entry, promotion, current);
  } catch (const std::exception& e) {
    Failed(entry, promotion, e.what());
  }
}

void RegistryFollower::Take(Entry* entry, const Promotion& promotion, std::optional<int> current) {
  const Task task = promotion.task;
  const int version = promotion.version;
  const bool fetched = !registry().Matches(task, version, bundles_);
  if (fetched) registry().Fetch(task, version, &bundles_);
  const std::string hash = LoadVersion(bundles_, task, version)->hash();
  if (current != version) bundles_.Promote(task, version);
  reloader_->LookNow(true);
  for (const TaskStatus& status : reloader_->Statuses()) {
    // The same number, other content: it lay here when the registry's came.
    if (status.task != task || status.serving == nullptr || status.serving->hash() == hash) {
      continue;
    }
    if (status.serving->config().version == version) reloader_->LoadAnew(task);
  }
  Log(LogLevel::kInfo, "took what the registry promoted",
      {{"task", std::string(TaskName(task))},
       {"version", std::to_string(version)},
       {"hash", hash},
       {"fetched", fetched ? "true" : "false"}});
  entry->state.taken = promotion.id;
  entry->state.failures = 0;
  {
    const std::lock_guard lock(mutex_);
    entry->status.taken = true;
    entry->status.problem.clear();
    entry->status.fetched += fetched ? 1 : 0;
  }
  Prune(task);
}

void RegistryFollower::Failed(Entry* entry, const Promotion& promotion, const std::string& why) {
  FollowState& state = entry->state;
  state.taken = 0;
  ++state.failures;
  state.retry_at = ReloadClock::now() + ReloadPause(state.failures);
  if (thread_.IsStopping()) return;
  const std::lock_guard lock(mutex_);
  // The same failure is told once; its repetition only at debug.
  Log(entry->status.problem == why ? LogLevel::kDebug : LogLevel::kError,
      "cannot take what the registry promoted: what serves goes on serving",
      {{"task", std::string(TaskName(promotion.task))},
       {"version", std::to_string(promotion.version)},
       {"cause", why}});
  entry->status.taken = false;
  entry->status.problem = why;
  ++entry->status.failures;
}

// So that the disk does not fill with what nobody serves. What the registry cannot give back stays.
void RegistryFollower::Prune(Task task) {
  try {
    std::vector<int> versions = bundles_.Versions(task);
    if (versions.size() <= kKeptVersions) return;
    std::set<int> kept(versions.end() - kKeptVersions, versions.end());
    if (const auto current = bundles_.Current(task)) kept.insert(*current);
    if (const auto shadow = bundles_.Shadow(task)) kept.insert(*shadow);
    if (const auto before = VersionBefore(registry().History(task))) kept.insert(*before);
    for (const int version : versions) {
      if (kept.contains(version)) continue;
      const auto known = registry().Find(task, version);
      if (!known || !known->stored || !registry().Matches(task, version, bundles_)) continue;
      bundles_.Remove(task, version);
      Log(LogLevel::kInfo, "removed an old version, which the registry keeps",
          {{"task", std::string(TaskName(task))}, {"version", std::to_string(version)}});
    }
  } catch (const std::exception& e) {
    Log(LogLevel::kWarning, "cannot remove old versions",
        {{"task", std::string(TaskName(task))}, {"cause", e.what()}});
  }
}

}  // namespace rebound
