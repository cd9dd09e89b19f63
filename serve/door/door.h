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
#include <optional>
#include <string>
#include <vector>

#include "serve/door/load.h"
#include "serve/door/request_parser.h"
#include "serve/door/tls.h"
#include "serve/http.h"

namespace rebound {

struct DoorOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  int threads = 2;
  TlsOptions tls;
  size_t max_connections = 4096;
  size_t max_connections_per_peer = 0;  // 0: no limit
  RequestParser::Limits limits;
  std::chrono::milliseconds idle_timeout{60'000};
  // First to last byte of a request, and again for its answer; a TLS handshake gets a third of it.
  std::chrono::milliseconds request_timeout{30'000};
  int64_t min_rate = 500;                       // bytes/s that a request must arrive with; 0: any
  std::chrono::milliseconds rate_grace{5'000};  // before the rate counts
  int64_t max_buffered_bytes = int64_t{1} << 30;
  LoadLimits load;
  std::vector<std::string> never_shed;  // paths that are answered however busy the door is
  DoorWitness witness;                  // of the door's own answers; none: nobody looks
};

// What operators may want to know.
struct DoorStats {
  int64_t open_connections = 0;
  int64_t in_flight = 0;              // requests that arrive or are answered
  int64_t buffered_bytes = 0;         // input, bodies, unsent answers
  int64_t shed = 0;                   // requests answered 503 for load, ever
  std::chrono::microseconds wait{0};  // of bytes that come now, before a worker reads them
  int64_t refused = 0;         // bad, late and large requests, and connections too many; ever
  int64_t tls_handshakes = 0;  // done, ever
  int64_t tls_failures = 0;    // handshakes that failed, ever
  std::optional<std::chrono::system_clock::time_point> certificate_ends;  // nullopt: no TLS
};

class Door {
 public:
  // Listens and serves when this returns. `handler` is called on worker threads and must outlive
  // the door. Throws kUnavailable where the address cannot be had, kInvalidArgument where the TLS
  // files cannot be used.
  Door(const DoorOptions& options, HttpHandler handler);
  // Hangs up on everybody.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  uint16_t port() const;
  size_t open_connections() const;
  DoorStats Stats() const;

  // Loads the TLS files now; false where they are refused, which the log tells: the old ones stay.
  // The door looks by itself every few seconds too. True without TLS.
  bool ReloadTls();

  // From now on every answer closes its connection.
  void StartDrain();
  // Nobody new is let in, and who asks for nothing is hung up on. Once, after StartDrain.
  void StopAccepting();
  // Waits until no request is in flight; false where some still were at the deadline.
  bool WaitDrained(std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rebound
