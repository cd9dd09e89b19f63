#include "serve/door/turns.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/error.h"

namespace rebound {

Turns::Turns() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    throw Error(ErrorCode::kUnavailable,
                "cannot make an event descriptor: raise the limit of open files");
  }
}

Turns::~Turns() { close(fd_); }

void Turns::Add(std::shared_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(connection));
  if (raised_) return;
  const uint64_t one = 1;
  raised_ = write(fd_, &one, sizeof one) == sizeof one;
}

size_t Turns::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::shared_ptr<Connection> Turns::Take() {
  const std::lock_guard lock(mutex_);
  auto longest = std::move(waiting_.front());
  waiting_.pop_front();
  return longest;
}

void Turns::Settle() {
  const std::lock_guard lock(mutex_);
  if (!raised_ || !waiting_.empty()) return;
  uint64_t count = 0;
  raised_ = read(fd_, &count, sizeof count) != sizeof count;
}

}  // namespace rebound
