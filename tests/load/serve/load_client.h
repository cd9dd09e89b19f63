// A client that keeps many connections busy from one thread and measures each answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rebound {

struct Load {
  double requests_per_second = 0;
  std::vector<uint32_t> latencies_ns;  // each answer's, in no order
  uint64_t goodbyes = 0;               // answers after which the server closed
};

class LoadClient {
 public:
  // Connects; throws std::runtime_error where that fails.
  LoadClient(uint16_t port, int connections);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  // Asks on every connection, again as soon as it is answered. Every answer must be `200` and have
  // as many bytes as the first, or be the last of its connection, in whose place a new one comes:
  // throws std::runtime_error otherwise.
  Load Run(const std::string& request, std::chrono::nanoseconds time);

 private:
  const uint16_t port_;
  const int epoll_fd_;
  std::vector<int> sockets_;
};

}  // namespace rebound
