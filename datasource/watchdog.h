// Calls a function once, on a thread of its own, where it is not gone by then: what ends a call
// into a library that does not watch the time itself. Thread-compatible.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace rebound {

class Watchdog {
 public:
  // `bark` must be safe beside what the owner does, and must not throw.
  Watchdog(std::chrono::milliseconds time, std::function<void()> bark)
      : bark_(std::move(bark)), thread_([this, time] { Run(time); }) {}
  // Waits for a call that has begun.
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void Run(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, time, [this] { return has_ended_; })) bark_();
  }

  std::function<void()> bark_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace rebound
