// Freezing the label store, which may take longer than an HTTP answer may: one at a time, on a
// thread of its own. Who asks waits a while, and else is told that it goes on and looks again.
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "labelstore/label_store.h"

namespace rebound {

class SnapshotJob {
 public:
  // `make` is called on the job's thread and may take its time.
  explicit SnapshotJob(std::function<SnapshotInfo()> make) : make_(std::move(make)) {}
  ~SnapshotJob();  // waits for the one that runs
  SnapshotJob(const SnapshotJob&) = delete;
  SnapshotJob& operator=(const SnapshotJob&) = delete;

  // Of the last one, since this server began. Times are ISO 8601, UTC.
  struct Status {
    bool running = false;
    std::string started_at;  // empty: there was none
    std::string ended_at;    // empty: it runs, or there was none
    std::optional<SnapshotInfo> snapshot;
    std::optional<Error> error;  // why it failed
  };

  // Starts one and waits up to `patience` for its end. Nullopt where one runs already, or after
  // Stop.
  std::optional<Status> Start(std::chrono::milliseconds patience);
  Status Look() const;

  // None starts any more. False where one still runs after `patience`: the process may end as it
  // is, for a snapshot is one transaction.
  bool Stop(std::chrono::milliseconds patience);

 private:
  void Run(const std::shared_ptr<Status>& status);

  const std::function<SnapshotInfo()> make_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool is_stopping_ = false;
  std::shared_ptr<Status> last_ = std::make_shared<Status>();  // what is in it is behind mutex_
  std::thread thread_;
};

}  // namespace rebound
