// One client's connection: bytes in, requests to the handler one after the other, answers out in
// order.
//
// Knows a descriptor and send(2), nothing of Pistache. While an answer is outstanding no further
// request is read, so pipelined answers keep their order and at most one answer is held in memory.
// What the socket does not take at once goes to the SlowWriter. Answers leave by a direct send
// under the connection's own mutex, and the descriptor is forgotten under it before it is closed:
// no answer can reach a reused number. Thread-safe. Lives in a shared_ptr: an answer that comes
// late keeps it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serve/door/request_parser.h"
#include "serve/http.h"

namespace rebound {

class SlowWriter;

// What all connections of one door share. Set before the first connection; only atomics change.
struct ConnectionContext {
  HttpHandler handler;
  RequestParser::Limits limits;
  std::chrono::milliseconds idle_timeout{60'000};  // between requests
  std::chrono::milliseconds request_timeout{
      30'000};  // first to last byte of a request; answering and sending it
  std::chrono::milliseconds linger{2'000};  // after our last byte, for the client's close
  int64_t max_buffered_bytes = int64_t{1}
                               << 30;  // of all connections: input, bodies, unsent answers
  SlowWriter* slow_writer = nullptr;

  std::atomic<bool> draining{false};
  std::atomic<int64_t> open_connections{0};
  std::atomic<int64_t> in_flight{
      0};  // requests between their first byte and the last byte of the answer
  std::atomic<int64_t> buffered_bytes{0};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  // `fd` is the reactor's; it stays open until OnClosing.
  Connection(int fd, ConnectionContext* context);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Bytes that came. Never throws.
  void OnInput(std::string_view bytes);
  // The peer is gone or has sent all; the reactor closes the descriptor when this returns. An
  // outstanding answer is still sent, on a descriptor of our own.
  void OnClosing();
  // SlowWriter: the socket takes bytes again.
  void OnWritable();
  // Holds the time-outs and the drain: answers 408, hangs up. Call a few times a second.
  void Tick(Clock::time_point now);
  // One connection too many: answers 503 and hangs up.
  void Refuse();

  bool finished() const;  // no descriptor any more

 private:
  enum class Phase {
    kIdle,       // no byte of a request yet
    kReceiving,  // a request has begun
    kAnswering,  // the handler has it, or its answer is being sent
    kLingering,  // we said all: input is dropped until the client closes
    kFinished,
  };
  using Lock = std::unique_lock<std::mutex>;

  template <class Body>
  void Guard(Body body) noexcept;
  void Pump();
  bool Step(Lock* lock);
  void Hand(Lock* lock);
  void Answer(const Response& response);
  void StartAnswer(const Response& response, bool close);
  void Fail(int status, std::string_view detail);
  void Flush();
  void EndAnswer();
  void HangUp();
  void Forget();
  void SetPhase(Phase phase);
  void CountBuffered();
  bool OverBudget() const;

  ConnectionContext* const context_;
  mutable std::mutex mutex_;
  int fd_;
  bool owns_fd_ = false;
  bool watched_ = false;  // by the slow writer
  Phase phase_ = Phase::kIdle;
  Clock::time_point deadline_;
  bool pumping_ = false;
  RequestParser parser_;
  std::string input_;
  size_t input_begin_ = 0;
  // Of the request being answered.
  bool handed_ = false;  // the handler owes an answer
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool http10_ = false;
  bool close_after_ = false;
  std::string output_;
  size_t output_begin_ = 0;
  int64_t counted_bytes_ = 0;
};

}  // namespace rebound
