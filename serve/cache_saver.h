// Keeps the cache through restarts: loads the snapshot of a folder, then writes it every few
// minutes and at the end, on a thread of its own. No request waits for it, and nothing that goes
// wrong on the disk ends the server: it is logged, and the next write tries again.
//
// Several servers may share a folder: all load from it, one at a time writes (it holds cache.lock
// until it ends), and another takes over when that one is gone. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "serve/cache.h"
#include "serve/cache_snapshot.h"

namespace rebound {

struct CacheSaverOptions {
  std::filesystem::path folder;  // made where missing
  std::chrono::milliseconds every{300'000};
  std::string program;
};

// The secret of the folder's snapshot; a new one where there is none that can be used.
SipSecret CacheSecretOf(const CacheSaverOptions& options);

class CacheSaver {
 public:
  // Cache::ModelOf of the models that serve; the entries of others are left out of snapshots. Empty
  // where not every model is there: all are kept.
  using Models = std::function<std::vector<uint16_t>()>;

  // Loading goes on while the server serves.
  CacheSaver(CacheSaverOptions options, Cache* cache, Models models);
  ~CacheSaver() { Stop(); }
  CacheSaver(const CacheSaver&) = delete;
  CacheSaver& operator=(const CacheSaver&) = delete;

  // Writes for the last time.
  void Stop();

 private:
  void Run();
  void Load();
  bool Hold();
  void Write();
  void Report(const std::string& problem);

  const CacheSaverOptions options_;
  const CacheSnapshot snapshot_;
  Cache* const cache_;
  const Models models_;
  // Of the thread alone.
  std::optional<FileLock> lock_;
  uint64_t written_additions_ = 0;
  std::string last_problem_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rebound
