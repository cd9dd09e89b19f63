#include "serve/snapshot_job.h"

#include <utility>

#include "base/log.h"
#include "base/utc_time.h"

namespace rebound {

SnapshotJob::~SnapshotJob() {
  Stop(std::chrono::milliseconds(0));
  if (thread_.joinable()) thread_.join();
}

std::optional<SnapshotJob::Status> SnapshotJob::Start(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (last_->running || is_stopping_) return std::nullopt;
  if (thread_.joinable()) thread_.join();  // it has nothing left to do
  const auto status = std::make_shared<Status>();
  status->started_at = UtcNow();
  thread_ = std::thread([this, status] { Run(status); });
  status->running = true;
  last_ = status;
  ended_.wait_for(lock, patience, [&] { return !status->running; });
  return *status;
}

SnapshotJob::Status SnapshotJob::Look() const {
  const std::lock_guard lock(mutex_);
  return *last_;
}

bool SnapshotJob::Stop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  is_stopping_ = true;
  return ended_.wait_for(lock, patience, [this] { return !last_->running; });
}

void SnapshotJob::Run(const std::shared_ptr<Status>& status) {
  std::optional<SnapshotInfo> snapshot;
  std::optional<Error> error;
  try {
    snapshot = make_();
  } catch (const Error& e) {
    error = e;
  } catch (const std::exception& e) {
    error = Error(ErrorCode::kInternal, e.what());
  }
  if (error) Log(LogLevel::kWarning, "a snapshot was not made", {{"cause", error->what()}});
  {
    const std::lock_guard lock(mutex_);
    status->running = false;
    status->ended_at = UtcNow();
    status->snapshot = std::move(snapshot);
    status->error = std::move(error);
  }
  ended_.notify_all();
}

}  // namespace rebound
