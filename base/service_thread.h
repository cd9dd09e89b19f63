// A thread that works until it is told to stop, and whose stop has a time limit. Thread-safe; Start
// at most once, Stop by one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace rebound {

class ServiceThread {
 public:
  ServiceThread() = default;
  ~ServiceThread();  // waits for what goes on
  ServiceThread(const ServiceThread&) = delete;
  ServiceThread& operator=(const ServiceThread&) = delete;

  // `run` returns soon after Pause was false.
  void Start(std::function<void()> run);
  // Asks for the end. False where it did not come within `patience`: the process may then end as it
  // is. True also where nothing was started.
  bool Stop(std::chrono::milliseconds patience);

  // Waits so long; false, at once, where a stop was asked for.
  bool Pause(std::chrono::milliseconds time);
  bool IsStopping() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::promise<void> ended_;
  std::future<void> has_ended_;  // of ended_
  std::thread thread_;
};

}  // namespace rebound
