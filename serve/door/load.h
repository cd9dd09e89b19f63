// How busy the door is, measured, and whether it takes one more request.
//
// Queues stand in the kernel, one socket a client: they are seen by what their heads wait. Each
// worker is handed a mark four times a second; what the mark waits is what bytes wait that come
// now. Shed is pure, the classes are Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rebound {

struct LoadLimits {
  int64_t max_unanswered = 1024;              // requests that the handler has
  std::chrono::milliseconds max_wait{2'000};  // of bytes that came, before a worker reads them
};

// Why the door takes no further request; empty: it does.
std::string_view Shed(const LoadLimits& limits, int64_t unanswered,
                      std::chrono::steady_clock::duration wait);

// What bytes wait for one worker.
class LoopLag {
 public:
  using Clock = std::chrono::steady_clock;

  // A mark was handed to the worker; the worker came to its oldest mark.
  void Hand(Clock::time_point now);
  void Reach(Clock::time_point now);

  // What the last mark waited, or a mark still waits, whichever is longer.
  Clock::duration Wait(Clock::time_point now) const;
  // Of the oldest mark that the worker has not come to; false where there is none.
  bool OldestMark(Clock::time_point* handed) const;

 private:
  std::mutex mutex_;
  std::deque<Clock::time_point> marks_;
  Clock::time_point reached_;
  std::atomic<int64_t> oldest_{0};  // ticks of the clock; 0: no mark is out
  std::atomic<int64_t> last_wait_{0};
};

// Connections by peer. An IPv6 peer is its /64: one host has all of it.
class PeerCounts {
 public:
  explicit PeerCounts(size_t most) : most_(most) {}  // 0: no limit, and nothing is counted

  // False where the peer has `most` already; otherwise it has one more, until Remove.
  bool Add(const std::string& network);
  void Remove(const std::string& network);

 private:
  const size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, size_t> counts_;
};

// Who is at the other end of a socket.
struct PeerAddress {
  std::string text;     // "192.0.2.1", "2001:db8::1"; empty where the system does not tell
  std::string network;  // for PeerCounts
};
PeerAddress PeerOf(int fd);

}  // namespace rebound
