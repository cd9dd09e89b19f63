#include "serve/cache_saver.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

CacheSnapshot SnapshotOf(const CacheSaverOptions& options) {
  return {options.folder / "cache.snapshot", options.program};
}

void MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) {
    throw Error(ErrorCode::kUnavailable,
                "cannot make the folder " + folder.string() + ": " + error.message());
  }
}

}  // namespace

SipSecret CacheSecretOf(const CacheSaverOptions& options) {
  try {
    return ReadSnapshotSecret(SnapshotOf(options));
  } catch (const Error&) {
    return NewSipSecret();  // loading will tell why
  }
}

CacheSaver::CacheSaver(CacheSaverOptions options, Cache* cache, Models models)
    : options_(std::move(options)),
      snapshot_(SnapshotOf(options_)),
      cache_(cache),
      models_(std::move(models)),
      thread_([this] { Run(); }) {}

void CacheSaver::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CacheSaver::Run() {
  // Requests go first where there are few cores. On Linux this is of the thread alone.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
  Load();
  Hold();  // what is wrong with the folder is told at the start
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    last = wake_.wait_for(lock, options_.every, [this] { return stopping_; });
    lock.unlock();
    Write();
    lock.lock();
  }
  lock_.reset();
}

void CacheSaver::Load() {
  try {
    const size_t entries = LoadCacheSnapshot(snapshot_, cache_);
    Log(LogLevel::kInfo, "cache loaded",
        {{"file", snapshot_.path.string()}, {"entries", std::to_string(entries)}});
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kNotFound) return;
    Log(LogLevel::kWarning, "cache snapshot ignored: starting with an empty cache",
        {{"cause", e.what()}});
  } catch (const std::exception& e) {
    Log(LogLevel::kWarning, "cache snapshot not read", {{"cause", e.what()}});
  }
}

// True where this server is the one that writes.
bool CacheSaver::Hold() {
  if (lock_) return true;
  try {
    MakeFolder(options_.folder);
    const fs::path lock = options_.folder / "cache.lock";
    const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    lock_.emplace(lock);
  } catch (const std::exception& e) {
    Report(e.what());
  }
  return lock_.has_value();
}

void CacheSaver::Write() {
  const uint64_t additions = cache_->Additions();
  if (additions == written_additions_) return;
  if (!Hold()) return;
  try {
    const size_t entries = WriteCacheSnapshot(snapshot_, *cache_, models_());
    written_additions_ = additions;
    last_problem_.clear();
    Log(LogLevel::kDebug, "cache written",
        {{"file", snapshot_.path.string()}, {"entries", std::to_string(entries)}});
  } catch (const std::exception& e) {
    Report(e.what());
  }
}

// Once for each cause: a full disk need not fill the log too.
void CacheSaver::Report(const std::string& problem) {
  if (problem == last_problem_) return;
  last_problem_ = problem;
  Log(LogLevel::kWarning, "cache not written: the snapshot before it stays", {{"cause", problem}});
}

}  // namespace rebound
