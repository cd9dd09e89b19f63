// The connections that wait for a turn of their worker: a queue with a descriptor to sleep on.
// Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

namespace rebound {

class Connection;

class Turns {
 public:
  // Throws kUnavailable where the system has no descriptor left.
  Turns();
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // The worker comes to `connection` after all that wait already. REQUIRES: it is not in the queue.
  void Add(std::shared_ptr<Connection> connection);
  size_t size() const;
  // Who waits longest. REQUIRES: somebody waits. Its worker alone.
  std::shared_ptr<Connection> Take();
  // After those that were taken had their turn: fd() falls silent unless somebody waits again. Its
  // worker alone.
  void Settle();

  // Readable from Add until nobody waits at a Settle: no turn is ever lost to a sleeping worker.
  int fd() const { return fd_; }

 private:
  const int fd_;
  mutable std::mutex mutex_;
  bool raised_ = false;
  std::deque<std::shared_ptr<Connection>> waiting_;
};

}  // namespace rebound
