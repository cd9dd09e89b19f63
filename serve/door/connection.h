// One client's connection: bytes in, requests to the handler one after the other, answers out in
// order.
//
// Knows a descriptor, recv(2) and send(2), nothing of Pistache. Reads and hands out requests in
// turns of its worker's thread alone, so that no client holds the others up; who makes a further
// turn possible (a late answer, the SlowWriter) puts it into the worker's queue. With TLS a filter
// stands between the socket and everything else. While an answer is outstanding or bytes wait for
// the parser nothing is read, so pipelined answers keep their order, at most one answer is held in
// memory, and the rest waits in the kernel. What the socket does not take at once goes to the
// SlowWriter. Answers leave by a direct send under the connection's own mutex, and the descriptor
// is forgotten under it before it is closed: no answer can reach a reused number. Thread-safe
// unless told otherwise. Lives in a shared_ptr: an answer that comes late keeps it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/door/load.h"
#include "serve/door/request_parser.h"
#include "serve/door/tls.h"
#include "serve/http.h"

namespace rebound {

class SlowWriter;
class TlsFiles;
class Turns;

// What all connections of one door share. Set before the first connection; only atomics change.
struct ConnectionContext {
  HttpHandler handler;
  DoorWitness witness;
  RequestParser::Limits limits;
  std::chrono::milliseconds idle_timeout{60'000};     // between requests
  std::chrono::milliseconds request_timeout{30'000};  // first to last byte; answering and sending
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds linger{2'000};        // after our last byte, for the client's close
  int64_t min_rate = 0;                           // bytes/s of a request on the way; 0: any
  std::chrono::milliseconds rate_grace{5'000};    // before the rate counts
  int64_t max_buffered_bytes = int64_t{1} << 30;  // of all: input, bodies, unsent answers
  LoadLimits load;
  std::vector<std::string> never_shed;  // paths
  SlowWriter* slow_writer = nullptr;
  PeerCounts* peers = nullptr;
  TlsFiles* tls = nullptr;  // null: plain HTTP

  std::atomic<bool> draining{false};      // every answer closes its connection
  std::atomic<bool> closing_idle{false};  // who asks for nothing is hung up on
  std::atomic<int64_t> open_connections{0};
  std::atomic<int64_t> in_flight{0};   // requests from their first byte to their answer's last
  std::atomic<int64_t> unanswered{0};  // requests that the handler has
  std::atomic<int64_t> buffered_bytes{0};
  std::atomic<int64_t> shed{0};            // requests refused for load, ever
  std::atomic<int64_t> refused{0};         // requests and connections refused for another cause
  std::atomic<int64_t> tls_handshakes{0};  // done, ever
  std::atomic<int64_t> tls_failures{0};    // handshakes that failed, ever
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  // A turn handles so many requests at most, and begins none so long after its first.
  static constexpr int kTurnRequests = 8;
  static constexpr std::chrono::milliseconds kTurnTime{1};

  // `fd` is the reactor's; it stays open until OnClosing. `lag` and `turns` are of the worker that
  // reads it.
  Connection(int fd, ConnectionContext* context, const LoopLag* lag, Turns* turns);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Counts the connection for its peer; false where the peer has too many. Call once.
  bool CountPeer();
  // The socket has bytes; `ended`: and after them its end. The next turn reads it. Its worker
  // alone.
  void OnReadable(bool ended);
  // Reads once, handles a few requests, and queues for another turn where one is of use. False: the
  // client is gone and has its answers; close. Never throws. Its worker alone.
  bool Turn();
  // It waits in its worker's queue.
  bool queued() const { return queued_; }
  // The descriptor is closed when this returns. Its worker alone.
  void OnClosing();
  int fd() const { return fd_; }  // its worker alone
  // SlowWriter: the socket takes bytes again.
  void OnWritable();
  // Holds the time-outs and the drain: answers 408, hangs up. Call a few times a second.
  void Tick(Clock::time_point now);
  // Instead of service: answers (TLS: hangs up, a handshake would be the dearest refusal).
  void Refuse(int status, std::string_view detail);
  // Not even an answer.
  void Drop();

 private:
  enum class Phase {
    kHandshake,  // TLS: not one byte of HTTP yet
    kIdle,       // no byte of a request yet
    kReceiving,  // a request has begun
    kAnswering,  // the handler has it, or its answer is being sent
    kLingering,  // we said all: input is dropped until the client closes
    kFinished,
  };
  using Lock = std::unique_lock<std::mutex>;

  template <class Body>
  void Guard(Body body) noexcept;
  bool Receive();
  void Read(std::string_view bytes);
  void AnswerPlainHttp();
  void HandleInput(Lock* lock);
  bool Step(Lock* lock);
  bool WantsInput() const;
  bool WantsTurn() const;
  void QueueForTurn();
  void Hand(Lock* lock);
  std::string_view WhyShed(const Request& request) const;
  void Answer(const Response& response);
  void StartAnswer(const Response& response, bool close);
  void StartOwnAnswer(Response response, const Request* request, bool close);
  void Write(std::string_view plain);
  void Fail(int status, std::string_view detail);
  void Flush();
  void EndAnswer();
  void SayGoodbye();
  void HangUp();
  void Forget();
  void SetPhase(Phase phase) { SetPhase(phase, Clock::now()); }
  void SetPhase(Phase phase, Clock::time_point now);
  void CountBuffered();
  bool OverBudget() const;
  void HoldToBudget();
  void HoldToTime(Clock::time_point now);
  bool IsTooSlow(Clock::time_point now) const;

  ConnectionContext* const context_;
  const LoopLag* const lag_;
  Turns* const turns_;
  const PeerAddress peer_;
  bool peer_counted_ = false;
  mutable std::mutex mutex_;
  std::atomic<bool> queued_{false};    // in turns_
  std::atomic<bool> readable_{false};  // the socket may have bytes, or its end
  bool ended_ = false;                 // the socket's end stands behind its bytes; worker alone
  int fd_;
  bool watched_ = false;  // by the slow writer
  Phase phase_;
  Clock::time_point phase_began_;
  Clock::time_point request_began_;  // its first byte
  Clock::time_point deadline_;
  bool in_turn_ = false;
  std::unique_ptr<TlsSession> tls_;  // null: plain
  bool handshaking_ = false;         // its first byte came
  bool input_ended_ = false;         // the client said so, inside TLS
  RequestParser parser_;
  std::string input_;
  size_t input_begin_ = 0;
  bool unparsed_ = false;     // the parser has not seen all of the input
  size_t request_bytes_ = 0;  // of the request that is being received
  bool late_input_ = false;   // bytes came after our last one
  // Of the request being answered.
  bool handed_ = false;  // the handler owes an answer
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool http10_ = false;
  bool close_after_ = false;
  std::string output_;  // for the socket: encrypted where there is TLS
  size_t output_begin_ = 0;
  int64_t counted_bytes_ = 0;
};

}  // namespace rebound
