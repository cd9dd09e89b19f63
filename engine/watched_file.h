// A file that is looked at every second on a thread of its own, by its bytes: which needs neither a
// clock nor a notification that a file system may not give. What it holds goes to whoever made it;
// a file that is refused is told in the log, once, and what it gave before goes on. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/service_thread.h"

namespace rebound {

class WatchedFile {
 public:
  // `read` gives the file's bytes, `take` what becomes of them; both throw where that fails, and
  // neither is called by two threads at once. `refusal` is the event of the log.
  WatchedFile(std::function<std::string()> read, std::function<void(const std::string&)> take,
              std::string_view refusal);
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;

  // Reads and takes the file for the first time. Throws what reading and taking throw.
  void Open();
  // REQUIRES: called once.
  void StartThread();

  // Looks at the file now. False where it is refused.
  bool Look();
  // Why the last look refused the file; empty: all is well.
  std::string last_error() const;

 private:
  const std::function<std::string()> read_;
  const std::function<void(const std::string&)> take_;
  const std::string refusal_;
  std::mutex look_mutex_;            // one look at a time; held before mutex_
  std::optional<std::string> seen_;  // the bytes that the last look read; of looks
  mutable std::mutex mutex_;
  std::string last_error_;
  ServiceThread thread_;  // the last: it uses the others
};

}  // namespace rebound
