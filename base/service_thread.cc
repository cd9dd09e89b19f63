#include "base/service_thread.h"

#include <utility>

namespace rebound {

ServiceThread::~ServiceThread() {
  Stop(std::chrono::milliseconds(0));
  if (thread_.joinable()) thread_.join();
}

void ServiceThread::Start(std::function<void()> run) {
  thread_ = std::thread([this, run = std::move(run)] {
    run();
    ended_.set_value();
  });
}

bool ServiceThread::Stop(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_all();
  if (!thread_.joinable()) return true;
  if (!has_ended_.valid()) has_ended_ = ended_.get_future();
  if (has_ended_.wait_for(patience) != std::future_status::ready) return false;
  thread_.join();
  return true;
}

bool ServiceThread::Pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stop_.wait_for(lock, time, [this] { return is_stopping_; });
}

bool ServiceThread::IsStopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

}  // namespace rebound
