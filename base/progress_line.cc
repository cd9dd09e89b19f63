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

bool ProgressLine::IsDue() {
  now_ = Clock::now();
  if (now_ < next_) return false;
  next_ = now_ + (terminal_ ? milliseconds(200) : milliseconds(10'000));
  return true;
}

void ProgressLine::Show(const char* line) {
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line);
  shown_ = true;
}

void ProgressLine::Update(int64_t done) {
  if (!IsDue()) return;
  const double rate = static_cast<double>(done) / duration<double>(now_ - start_).count();
  char line[160];
  if (total_ > 0 && rate > 0) {
    std::snprintf(line, sizeof line, "%s: %lld of %lld (%.0f/s, %.0f s left)", what_.c_str(),
                  static_cast<long long>(done), static_cast<long long>(total_), rate,
                  static_cast<double>(total_ - done) / rate);
  } else {
    std::snprintf(line, sizeof line, "%s: %lld (%.0f/s)", what_.c_str(),
                  static_cast<long long>(done), rate);
  }
  Show(line);
}

void ProgressLine::UpdateBytes(int64_t done, int64_t lines) {
  if (!IsDue()) return;
  constexpr double kMiB = 1 << 20;
  const double past = duration<double>(now_ - start_).count();
  const double rate = static_cast<double>(done) / past;
  char size[64], left[64] = "";
  if (total_ > 0 && rate > 0) {
    std::snprintf(size, sizeof size, "%.1f of %.1f MiB", static_cast<double>(done) / kMiB,
                  static_cast<double>(total_) / kMiB);
    std::snprintf(left, sizeof left, ", %.0f s left", static_cast<double>(total_ - done) / rate);
  } else {
    std::snprintf(size, sizeof size, "%.1f MiB", static_cast<double>(done) / kMiB);
  }
  char line[256];
  std::snprintf(line, sizeof line, "%s: %s, %lld lines (%.0f/s%s)", what_.c_str(), size,
                static_cast<long long>(lines), static_cast<double>(lines) / past, left);
  Show(line);
}

ProgressLine::~ProgressLine() {
  if (shown_ && terminal_) std::fputc('\n', stderr);
}

}  // namespace rebound
