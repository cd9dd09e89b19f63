// The HTTP door: a listening address, worker threads, and a handler that gets whole requests.
//
// Pistache 0.0.5 owns sockets and threads and nothing else: its router, its parser and its send
// deliver answers to the wrong client and are not used. door.cc is the only file that sees it.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "serve/door/request_parser.h"
#include "serve/http.h"

namespace rebound {

struct DoorOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  int threads = 2;
  size_t max_connections = 4096;
  RequestParser::Limits limits;
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds request_timeout{30'000};
};

class Door {
 public:
  // Listens and serves when this returns. `handler` is called on worker threads and must outlive
  // the door. Throws kUnavailable where the address cannot be had.
  Door(const DoorOptions& options, HttpHandler handler);
  // Hangs up on everybody.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  uint16_t port() const;
  size_t open_connections() const;

  // From now on every answer closes its connection and idle connections are closed.
  void StartDrain();
  // Waits until no request is in flight; false where some still were at the deadline.
  bool WaitDrained(std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rebound
