#include "base/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace rebound {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

ProgressLine::ProgressLine(std::string what, int64_t total)
    : what_(std::move(what)),
      total_(total),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_(start_ + seconds(2)) {}

void ProgressLine::Update(int64_t done) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? milliseconds(200) : milliseconds(10'000));
  const double rate = static_cast<double>(done) / duration<double>(now - start_).count();
  char line[160];
  if (total_ > 0 && rate > 0) {
    std::snprintf(line, sizeof line, "%s: %lld of %lld (%.0f/s, %.0f s left)", what_.c_str(),
                  static_cast<long long>(done), static_cast<long long>(total_), rate,
                  static_cast<double>(total_ - done) / rate);
  } else {
    std::snprintf(line, sizeof line, "%s: %lld (%.0f/s)", what_.c_str(),
                  static_cast<long long>(done), rate);
  }
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line);
  shown_ = true;
}

ProgressLine::~ProgressLine() {
  if (shown_ && terminal_) std::fputc('\n', stderr);
}

}  // namespace rebound
