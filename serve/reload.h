// Keeps the engine on the bundles that CURRENT names.
//
// A thread of its own watches the model folders (inotify, with a look every few seconds for file
// systems that tell nothing) and loads beside what serves; only a bundle that passed all its checks
// is swapped in. A bundle that fails is told and tried again with a growing pause, and what served
// goes on serving. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "models/bundle_store.h"
#include "models/task.h"

namespace rebound {

using ReloadClock = std::chrono::steady_clock;

// What the reloader knows of one task.
struct ReloadState {
  std::optional<int> serving;  // version
  std::optional<int> failed;   // the version that could not be loaded last
  int failures = 0;            // of `failed`, in a row
  ReloadClock::time_point retry_at;
};

enum class ReloadStep { kNothing, kLoad, kWait };

// What to do about a task whose CURRENT says `current`. `forced`: somebody asked, so a failure is
// tried again now. Pure.
ReloadStep NextReload(const ReloadState& state, std::optional<int> current,
                      ReloadClock::time_point now, bool forced);
// The pause after the n-th failure in a row: 1 s, doubled up to a minute. Pure.
std::chrono::milliseconds ReloadPause(int failures);

// What operators are told of one task.
struct TaskStatus {
  Task task = Task::kBnac;
  std::shared_ptr<const Classifier> serving;  // null: no model yet
  std::string problem;  // why what serves is not what CURRENT names; empty: all is well
  enum class Outcome { kNone, kLoaded, kFailed } last_outcome = Outcome::kNone;
  int last_version = 0;    // of the last reload; 0 where CURRENT named none
  std::string last_at;     // ISO 8601, UTC
  std::string last_error;  // of the last reload
  uint64_t loads = 0;      // ever
  uint64_t failures = 0;   // ever, every try counted
};

class Reloader {
 public:
  Reloader(const std::filesystem::path& root, std::vector<Task> tasks, Engine* engine);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // One look at every task now, on the caller's thread. Never throws for what is on disk.
  void LookNow(bool forced);
  // The version that serves has other content on disk now: forgets which it was and looks. What
  // serves goes on until the new one is loaded.
  void LoadAnew(Task task);
  // Called after every look, with what it was told, one at a time; null: nobody. Waits for a call
  // that goes on.
  void SetListener(std::function<void(bool forced)> listener);
  // Starts the watching thread.
  void Start();
  // Asks the watching thread to look now and to forget the pauses. Returns at once.
  void Wake();

  const BundleStore& store() const { return store_; }
  // By task, in the order of the constructor.
  std::vector<TaskStatus> Statuses() const;

 private:
  struct Entry {
    ReloadState state;
    TaskStatus status;
  };

  void Watch();
  void AddWatches();
  std::chrono::milliseconds UntilNextLook() const;
  void LookAt(Entry* entry, bool forced);
  void Load(Entry* entry, int version);
  void Report(Entry* entry, TaskStatus::Outcome outcome, int version, const std::string& error);

  const BundleStore store_;
  const std::vector<Task> tasks_;
  Engine* const engine_;
  const int inotify_fd_;
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::mutex look_mutex_;  // one look at a time; held before mutex_
  std::function<void(bool forced)> listener_;
  mutable std::mutex mutex_;  // guards what Statuses copies
  std::vector<Entry> entries_;
  std::thread thread_;
};

}  // namespace rebound
