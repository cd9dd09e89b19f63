#include "engine/watched_file.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/log.h"

namespace rebound {
namespace {

constexpr std::chrono::seconds kLookEvery(1);

}  // namespace

WatchedFile::WatchedFile(std::function<std::string()> read,
                         std::function<void(const std::string&)> take, std::string_view refusal)
    : read_(std::move(read)), take_(std::move(take)), refusal_(refusal) {}

void WatchedFile::Open() {
  const std::lock_guard look(look_mutex_);
  seen_ = read_();
  take_(*seen_);
}

void WatchedFile::StartThread() {
  thread_.Start([this] {
    while (thread_.Pause(kLookEvery)) Look();
  });
}

bool WatchedFile::Look() {
  const std::lock_guard look(look_mutex_);
  std::string error;
  try {
    // Of a file that cannot be read nothing was seen.
    const std::optional<std::string> before = std::exchange(seen_, std::nullopt);
    seen_ = read_();
    if (seen_ == before) return last_error().empty();
    take_(*seen_);
  } catch (const std::exception& e) {
    error = e.what();
  }
  const std::lock_guard lock(mutex_);
  if (!error.empty() && error != last_error_) {
    Log(LogLevel::kError, refusal_, {{"cause", error}});
  }
  last_error_ = error;
  return error.empty();
}

std::string WatchedFile::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace rebound
