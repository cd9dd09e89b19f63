// The thread that waits for sockets whose clients read slowly, so that no worker does.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace rebound {

class Connection;

class SlowWriter {
 public:
  SlowWriter();
  ~SlowWriter();
  SlowWriter(const SlowWriter&) = delete;
  SlowWriter& operator=(const SlowWriter&) = delete;

  // Calls connection->OnWritable once, from the writer's thread, when `fd` takes bytes. Watch again
  // for more. False where the system refuses: hang up.
  bool Watch(int fd, const std::shared_ptr<Connection>& connection);
  // Before `fd` is closed or is watched no longer.
  void Unwatch(int fd);

 private:
  void Run();

  const int epoll_fd_;
  const int stop_fd_;
  std::mutex mutex_;
  std::unordered_map<int, std::weak_ptr<Connection>> watched_;
  std::thread thread_;
};

}  // namespace rebound
