#include "serve/reload.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/utc_time.h"
#include "engine/load.h"

namespace rebound {
namespace {

// inotify tells at once; this catches folders that were not there to watch and file systems without
// it.
constexpr std::chrono::milliseconds kLookEvery{3000};

}  // namespace

ReloadStep NextReload(const ReloadState& state, std::optional<int> current,
                      ReloadClock::time_point now, bool forced) {
  if (!current || current == state.serving) return ReloadStep::kNothing;
  if (current != state.failed || forced || now >= state.retry_at) return ReloadStep::kLoad;
  return ReloadStep::kWait;
}

std::chrono::milliseconds ReloadPause(int failures) {
  constexpr int kDoublings = 6;
  const std::chrono::seconds pause(1 << std::clamp(failures - 1, 0, kDoublings));
  return std::min(pause, std::chrono::seconds(60));
}

Reloader::Reloader(const std::filesystem::path& root, std::vector<Task> tasks, Engine* engine)
    : store_(root),
      tasks_(std::move(tasks)),
      engine_(engine),
      inotify_fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      entries_(tasks_.size()) {
  for (size_t i = 0; i < tasks_.size(); ++i) entries_[i].status.task = tasks_[i];
}

Reloader::~Reloader() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  if (inotify_fd_ >= 0) close(inotify_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Reloader::Start() {
  thread_ = std::thread([this] { Watch(); });
}

void Reloader::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

std::vector<TaskStatus> Reloader::Statuses() const {
  std::vector<TaskStatus> statuses;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) statuses.push_back(entry.status);
  return statuses;
}

void Reloader::Watch() {
  while (!stopping_) {
    AddWatches();
    // After the watches, so that nothing that happened before them is missed.
    LookNow(false);
    std::array<pollfd, 2> fds = {pollfd{inotify_fd_, POLLIN, 0}, pollfd{wake_fd_, POLLIN, 0}};
    poll(fds.data(), fds.size(), static_cast<int>(UntilNextLook().count()));
    std::array<char, 4096> events;
    while (read(inotify_fd_, events.data(), events.size()) > 0) {
    }
    uint64_t woken = 0;
    if (read(wake_fd_, &woken, sizeof woken) > 0 && !stopping_) LookNow(true);
  }
}

void Reloader::AddWatches() {
  // A rename replaces the inode of CURRENT: the folder is watched, never the file. To add a watch
  // again is harmless.
  constexpr uint32_t kEvents = IN_MOVED_TO | IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;
  inotify_add_watch(inotify_fd_, store_.root().c_str(), kEvents);
  for (const Task task : tasks_) {
    inotify_add_watch(inotify_fd_, store_.TaskFolder(task).c_str(), kEvents);
  }
}

std::chrono::milliseconds Reloader::UntilNextLook() const {
  auto wait = kLookEvery;
  const auto now = ReloadClock::now();
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (!entry.state.failed) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(entry.state.retry_at - now);
    wait = std::clamp(left, std::chrono::milliseconds(0), wait);
  }
  return wait;
}

void Reloader::LookNow(bool forced) {
  const std::lock_guard look(look_mutex_);
  for (Entry& entry : entries_) LookAt(&entry, forced);
  if (listener_) listener_(forced);
}

void Reloader::SetListener(std::function<void(bool forced)> listener) {
  const std::lock_guard look(look_mutex_);
  listener_ = std::move(listener);
}

void Reloader::LoadAnew(Task task) {
  const std::lock_guard look(look_mutex_);
  for (Entry& entry : entries_) {
    if (entry.status.task != task) continue;
    {
      const std::lock_guard lock(mutex_);
      entry.state.serving.reset();
    }
    LookAt(&entry, true);
  }
}

// Only a look writes entries, so it reads them without mutex_.
void Reloader::LookAt(Entry* entry, bool forced) {
  std::optional<int> current;
  std::string problem;
  try {
    current = store_.Current(entry->status.task);
    if (!current) {
      problem = "no bundle was promoted: " +
                (store_.TaskFolder(entry->status.task) / "CURRENT").string() + " is not there";
    }
  } catch (const std::exception& e) {
    problem = e.what();
  }
  if (!problem.empty()) {
    if (problem == entry->status.problem) return;
    Log(LogLevel::kWarning, "no current bundle",
        {{"task", std::string(TaskName(entry->status.task))}, {"cause", problem}});
    const std::lock_guard lock(mutex_);
    entry->status.problem = problem;
    entry->state.failed.reset();
    return;
  }
  switch (NextReload(entry->state, current, ReloadClock::now(), forced)) {
    case ReloadStep::kLoad:
      Load(entry, *current);
      break;
    case ReloadStep::kNothing: {
      const std::lock_guard lock(mutex_);
      entry->state.failed.reset();
      entry->status.problem.clear();
      break;
    }
    case ReloadStep::kWait:
      break;
  }
}

void Reloader::Load(Entry* entry, int version) {
  const Task task = entry->status.task;
  try {
    auto classifier = LoadVersion(store_, task, version);
    engine_->Swap(task, classifier);
    {
      const std::lock_guard lock(mutex_);
      entry->status.serving = std::move(classifier);
    }
    Report(entry, TaskStatus::Outcome::kLoaded, version, "");
  } catch (const std::exception& e) {
    Report(entry, TaskStatus::Outcome::kFailed, version, e.what());
  }
}

void Reloader::Report(Entry* entry, TaskStatus::Outcome outcome, int version,
                      const std::string& error) {
  TaskStatus& status = entry->status;
  const std::string task(TaskName(status.task));
  const std::lock_guard lock(mutex_);
  ReloadState& state = entry->state;
  if (outcome == TaskStatus::Outcome::kLoaded) {
    Log(LogLevel::kInfo, "model loaded",
        {{"task", task}, {"version", std::to_string(version)}, {"hash", status.serving->hash()}});
    state = {version, std::nullopt, 0, {}};
  } else {
    const std::string serving = state.serving ? std::to_string(*state.serving) : "none";
    // The same failure is told once; its repetition only at debug.
    const bool known = state.failed == version && status.last_error == error;
    Log(known ? LogLevel::kDebug : LogLevel::kError, "model refused",
        {{"task", task},
         {"version", std::to_string(version)},
         {"serving", serving},
         {"cause", error}});
    state.failures = state.failed == version ? state.failures + 1 : 1;
    state.failed = version;
    state.retry_at = ReloadClock::now() + ReloadPause(state.failures);
  }
  status.problem = error;
  status.last_outcome = outcome;
  ++(outcome == TaskStatus::Outcome::kLoaded ? status.loads : status.failures);
  status.last_version = version;
  status.last_at = UtcNow();
  status.last_error = error;
}

}  // namespace rebound
