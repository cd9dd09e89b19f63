// One line on standard error that tells how far a long work is; silent for the first two seconds.
// Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rebound {

class ProgressLine {
 public:
  // `total` 0: not known.
  ProgressLine(std::string what, int64_t total);
  ~ProgressLine();  // ends the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Update(int64_t done);
  // Where `done` and `total` are bytes, shown in MiB; `lines` are what the rate counts.
  void UpdateBytes(int64_t done, int64_t lines);

 private:
  // Whether a line is due.
  bool IsDue();
  void Show(const char* line);
  using Clock = std::chrono::steady_clock;
  const std::string what_;
  const int64_t total_;
  const bool terminal_;  // a terminal gets one line again and again, a file one every ten seconds
  const Clock::time_point start_;
  Clock::time_point now_;
  Clock::time_point next_;
  bool shown_ = false;
};

}  // namespace rebound
