// What a piece of work costs this thread, however busy the machine is. Thread-safe.
#pragma once

#include <ctime>

namespace rebound::test {

// Processor time, in seconds.
template <class Work>
double CpuSecondsOf(const Work& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

}  // namespace rebound::test
