// Keeps --models on what the registry promotes (--from-registry), so that a fleet follows one
// promotion.
//
// A thread of its own waits for promotions, brings what was promoted here, verified, whole or not
// at all, proves that it loads, and makes it CURRENT; the reloader takes it from there. The
// registry decides: a CURRENT that was changed here is put back. Whatever fails, what serves goes
// on serving and the same is tried again with a growing pause; while the database is away, what is
// on disk serves. Nothing waits for this thread. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/service_thread.h"
#include "labelstore/model_registry.h"
#include "models/bundle_store.h"
#include "serve/registry_status.h"
#include "serve/reload.h"

namespace rebound {

struct FollowerOptions {
  std::string uri;
  // Notifications tell at once; this finds what they did not, and a CURRENT that was changed here.
  std::chrono::milliseconds look_every{30'000};
};

// Versions of a task that stay on disk: the newest so many, besides what serves and what a
// roll-back goes to. Older ones are removed where the registry can give them back.
inline constexpr size_t kKeptVersions = 5;

// What the follower knows of one task.
struct FollowState {
  std::optional<Promotion> promoted;
  int64_t taken = 0;  // id of the promotion that was taken last
  int failures = 0;   // to take `promoted`, in a row
  ReloadClock::time_point retry_at;
};

enum class FollowStep : uint8_t { kNothing, kTake, kWait };

// What to do about a task whose CURRENT says `current`. `forced`: somebody asked, so a failure is
// tried again now. Pure.
FollowStep NextFollow(const FollowState& state, std::optional<int> current,
                      ReloadClock::time_point now, bool forced);

class RegistryFollower {
 public:
  // `reloader` must outlive the object; its tasks and its folder are followed. Throws
  // kInvalidArgument where `uri` cannot be read.
  RegistryFollower(FollowerOptions options, Reloader* reloader);
  RegistryFollower(const RegistryFollower&) = delete;
  RegistryFollower& operator=(const RegistryFollower&) = delete;

  void Start() {
    thread_.Start([this] { Run(); });
  }
  // False where it is in the middle of something after `patience`: the process may end as it is,
  // for every step is whole or not at all.
  bool Stop(std::chrono::milliseconds patience) { return thread_.Stop(patience); }

  // One round, which waits for promotions for at most `patience`. Used by the thread alone once it
  // was started. Never throws for what the registry or the disk does.
  void Follow(std::chrono::milliseconds patience);
  // Asks for a round now that looks at everything and forgets the pauses. Returns at once.
  void Wake() { woken_ = true; }

  RegistryStatus Status() const;

 private:
  struct Entry {
    FollowState state;
    RegistryTask status;
  };

  PostgresOptions Limits();
  void Run();
  bool Read(std::chrono::milliseconds patience, bool look);
  void Note(Entry* entry, const Promotion& promotion);
  void Connected();
  void Disconnected(const std::string& why);
  void LookAt(Entry* entry, bool look, bool forced);
  void Take(Entry* entry, const Promotion& promotion, std::optional<int> current);
  void Failed(Entry* entry, const Promotion& promotion, const std::string& why);
  void Prune(Task task);
  ModelRegistry& registry();

  const FollowerOptions options_;
  const std::string description_;
  Reloader* const reloader_;
  BundleStore bundles_;
  std::unique_ptr<PromotionListener> listener_;  // null: to be made
  std::unique_ptr<ModelRegistry> registry_;      // null: to be made
  ReloadClock::time_point next_look_;
  int away_ = 0;  // rounds in a row that could not read the registry
  std::atomic<bool> woken_{false};
  mutable std::mutex mutex_;  // guards what Status copies
  bool connected_ = false;
  std::string problem_;
  std::vector<Entry> entries_;
  ServiceThread thread_;  // the last: it uses the others; its end waits for what goes on
};

}  // namespace rebound
