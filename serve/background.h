// Work that would hold a worker too long: few threads, a short queue, first come first served.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rebound {

class Background {
 public:
  explicit Background(size_t most_waiting, size_t threads = 1);
  ~Background() { Stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // False where too much waits already: `work` is not taken. `work` must not throw.
  bool Post(std::function<void()> work);
  // Does what waits, then ends and takes no more. Once it has returned, nothing that was posted
  // lives any longer. Call from one thread.
  void Stop();

 private:
  void Work();

  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rebound
