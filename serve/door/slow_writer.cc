#include "serve/door/slow_writer.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "serve/door/connection.h"

namespace rebound {

SlowWriter::SlowWriter()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop_fd_;
  if (epoll_fd_ < 0 || stop_fd_ < 0 || epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, stop_fd_, &event) != 0) {
    throw Error(ErrorCode::kUnavailable,
                "cannot make an epoll descriptor: raise the limit of open files");
  }
  thread_ = std::thread([this] { Run(); });
}

SlowWriter::~SlowWriter() {
  const uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) == sizeof one) thread_.join();
  close(epoll_fd_);
  close(stop_fd_);
}

bool SlowWriter::Watch(int fd, const std::shared_ptr<Connection>& connection) {
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.fd = fd;
  const std::lock_guard lock(mutex_);
  watched_[fd] = connection;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0 ||
         (errno == ENOENT && epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void SlowWriter::Unwatch(int fd) {
  const std::lock_guard lock(mutex_);
  watched_.erase(fd);
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void SlowWriter::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_fd_) return;
      std::shared_ptr<Connection> connection;
      {
        const std::lock_guard lock(mutex_);
        const auto it = watched_.find(fd);
        if (it != watched_.end()) connection = it->second.lock();
      }
      // A late event of a number that is another connection's by now only makes it try to send.
      if (connection != nullptr) connection->OnWritable();
    }
  }
}

}  // namespace rebound
