#include "serve/door/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <thread>
#include <utility>

#include "base/log.h"
#include "serve/door/slow_writer.h"
#include "serve/door/tls_files.h"
#include "serve/problem.h"

namespace rebound {
namespace {

constexpr int kTurn = 128;  // requests that a client is answered in one go

}  // namespace

Connection::Connection(int fd, ConnectionContext* context, const LoopLag* lag)
    : context_(context),
      lag_(lag),
      peer_(PeerOf(fd)),
      fd_(fd),
      phase_(context->tls == nullptr ? Phase::kIdle : Phase::kHandshake),
      tls_(context->tls == nullptr ? nullptr
                                   : std::make_unique<TlsSession>(context->tls->Current())),
      parser_(context->limits) {
  SetPhase(phase_);
  ++context_->open_connections;
}

Connection::~Connection() {
  Forget();
  if (handed_) --context_->unanswered;
  if (peer_counted_) context_->peers->Remove(peer_.network);
  context_->buffered_bytes -= counted_bytes_;
  --context_->open_connections;
}

bool Connection::CountPeer() {
  peer_counted_ = context_->peers->Add(peer_.network);
  return peer_counted_;
}

bool Connection::finished() const {
  const Lock lock(mutex_);
  return phase_ == Phase::kFinished;
}

// Nothing may escape into the reactor, the slow writer or a handler: there it would end the
// process.
template <class Body>
void Connection::Guard(Body body) noexcept {
  try {
    body();
    return;
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "connection failed", {{"cause", e.what()}});
  }
  const Lock lock(mutex_);
  HangUp();
}

// A worker has others to serve: who answers a queue of requests on another thread lets it pass.
Connection::Lock Connection::LockForWorker() {
  ++worker_waits_;
  Lock lock(mutex_);
  --worker_waits_;
  return lock;
}

void Connection::OnInput(std::string_view bytes) {
  Guard([&] {
    {
      const Lock lock = LockForWorker();
      if (phase_ == Phase::kLingering) late_bytes_ += bytes.size();
      if (phase_ == Phase::kLingering || phase_ == Phase::kFinished) return;
      Read(bytes);
    }
    Pump();
    const Lock lock = LockForWorker();
    CountBuffered();
    if (!OverBudget()) return;
    if (phase_ == Phase::kReceiving) {
      Fail(503, "the server holds too many unfinished requests");
    } else if (phase_ != Phase::kLingering) {
      HangUp();
    }
  });
}

// From the socket to input_, through TLS where there is one.
void Connection::Read(std::string_view bytes) {
  const size_t before = input_.size();
  if (tls_ == nullptr) {
    input_.append(bytes);
  } else {
    constexpr char kHandshakeRecord = 0x16;
    if (phase_ == Phase::kHandshake && !handshaking_ && bytes[0] != kHandshakeRecord) {
      return AnswerPlainHttp();
    }
    handshaking_ = true;
    switch (tls_->Receive(bytes, &input_, &output_)) {
      case TlsSession::State::kHandshake:
        break;
      case TlsSession::State::kEnded:
        input_ended_ = true;
        [[fallthrough]];
      case TlsSession::State::kOpen:
        if (phase_ == Phase::kHandshake) {
          ++context_->tls_handshakes;
          SetPhase(Phase::kIdle);
        }
        break;
      case TlsSession::State::kFailed:
        if (phase_ == Phase::kHandshake) ++context_->tls_failures;
        Log(LogLevel::kDebug, "TLS session failed", {{"cause", tls_->error()}});
        // An answer that was begun cannot go on; elsewhere the client is told by an alert.
        if (phase_ == Phase::kAnswering) return HangUp();
        return SayGoodbye();
    }
    Flush();
  }
  if (phase_ == Phase::kReceiving) request_bytes_ += input_.size() - before;
}

// The client speaks no TLS. One that speaks HTTP is told so, in its own language.
void Connection::AnswerPlainHttp() {
  tls_ = nullptr;
  Response response = MakeProblem(400, "");
  response.content_type = "text/plain";
  response.body = "This port speaks HTTPS: use https:// in place of http://\n";
  SetPhase(Phase::kAnswering);
  StartAnswer(response, true);
}

void Connection::OnClosing() {
  Guard([&] {
    {
      const Lock lock = LockForWorker();
      if (phase_ == Phase::kFinished) return;
      if (watched_) context_->slow_writer->Unwatch(fd_);
      // The client may have closed its half alone: what it asked for is still answered.
      fd_ = phase_ == Phase::kAnswering ? fcntl(fd_, F_DUPFD_CLOEXEC, 0) : -1;
      owns_fd_ = fd_ >= 0;
      if (!owns_fd_) return Forget();
      if (std::exchange(watched_, false)) Flush();
    }
    Pump();
  });
}

void Connection::OnWritable() {
  Guard([&] {
    while (worker_waits_ > 0) std::this_thread::yield();
    {
      const Lock lock(mutex_);
      if (phase_ == Phase::kLingering || phase_ == Phase::kFinished) return;
      Flush();
    }
    Pump();
  });
}

void Connection::Tick(Clock::time_point now) {
  Guard([&] {
    const Lock lock = LockForWorker();
    if (phase_ == Phase::kFinished) return;
    const bool silent = phase_ == Phase::kIdle || (phase_ == Phase::kHandshake && !handshaking_);
    if (silent && context_->closing_idle) return SayGoodbye();
    if (phase_ == Phase::kReceiving && IsTooSlow(now)) {
      Fail(408, "the request arrives too slowly");
    } else if (now < deadline_) {
      return;
    } else if (phase_ == Phase::kReceiving) {
      Fail(408, "the request did not arrive in time");
    } else if (phase_ == Phase::kIdle) {
      SayGoodbye();
    } else {
      if (phase_ == Phase::kHandshake && handshaking_) ++context_->tls_failures;
      HangUp();
    }
  });
}

bool Connection::IsTooSlow(Clock::time_point now) const {
  const auto taken = now - phase_began_;
  if (context_->min_rate == 0 || taken < context_->rate_grace) return false;
  const std::chrono::duration<double> seconds = taken;
  return static_cast<double>(request_bytes_) <
         seconds.count() * static_cast<double>(context_->min_rate);
}

void Connection::OnMonopoly() {
  Guard([&] {
    const Lock lock = LockForWorker();
    // What was on its way when we said our last may come; a flood may not.
    constexpr size_t kOnItsWay = 8 * 1024 * 1024;
    if (phase_ == Phase::kLingering && late_bytes_ > kOnItsWay) return HangUp();
    last_request_ = true;
  });
}

void Connection::Refuse(int status, std::string_view detail) {
  Guard([&] {
    const Lock lock = LockForWorker();
    if (tls_ != nullptr) return HangUp();
    Fail(status, detail);
  });
}

void Connection::Drop() {
  Guard([&] {
    const Lock lock = LockForWorker();
    HangUp();
  });
}

void Connection::Pump() {
  Lock lock(mutex_);
  if (pumping_) return;  // the loop that runs sees what changed
  pumping_ = true;
  int steps = 0;
  bool more = true;
  while (more && steps < kTurn && (steps == 0 || worker_waits_ == 0)) {
    more = Step(&lock);
    ++steps;
  }
  pumping_ = false;
  // A long queue of requests is answered by turns, so that neither a worker nor the slow writer is
  // held by one client: the socket takes bytes, so the slow writer comes back at once.
  if (more && fd_ >= 0) {
    watched_ = true;
    if (!context_->slow_writer->Watch(fd_, shared_from_this())) HangUp();
  }
}

// One step of the loop: false where it waits for input, for an answer, or for nothing any more.
bool Connection::Step(Lock* lock) {
  if (phase_ != Phase::kIdle && phase_ != Phase::kReceiving) return false;
  const auto rest = std::string_view(input_).substr(input_begin_);
  if (rest.empty()) {
    input_.clear();
    input_begin_ = 0;
    if (owns_fd_) {
      Forget();
    } else if (input_ended_) {
      SayGoodbye();
    }
    return false;
  }
  if (phase_ == Phase::kIdle) {
    SetPhase(Phase::kReceiving);
    request_bytes_ = rest.size();
  }
  input_begin_ += parser_.Feed(rest);
  switch (parser_.state()) {
    case RequestParser::State::kNeedMore:
      if (owns_fd_) {  // nothing more can come
        Forget();
        return false;
      }
      input_.erase(0, std::exchange(input_begin_, 0));
      if (input_ended_) {
        SayGoodbye();
      } else if (parser_.TakeExpectContinue()) {
        Write("HTTP/1.1 100 Continue\r\n\r\n");
        Flush();
      }
      return false;
    case RequestParser::State::kFailed:
      Fail(parser_.error_status(), parser_.error_detail());
      return false;
    case RequestParser::State::kComplete:
      break;
  }
  Hand(lock);
  return true;
}

// Gives the complete request to the handler, without the lock: the answer may come before this
// returns, or later from another thread.
void Connection::Hand(Lock* lock) {
  keep_alive_ = parser_.keep_alive();
  http10_ = parser_.http10();
  Request request = parser_.Take();
  head_only_ = request.method == "HEAD";
  SetPhase(Phase::kAnswering);
  if (const std::string_view why = WhyShed(request); !why.empty()) {
    ++context_->shed;
    return StartAnswer(MakeProblem(503, why), !keep_alive_ || context_->draining);
  }
  request.peer = peer_.text;
  if (tls_ != nullptr) {
    request.tls = true;
    request.client_subject = tls_->client_subject();
  }
  handed_ = true;
  ++context_->unanswered;
  lock->unlock();
  try {
    context_->handler(std::move(request), [self = shared_from_this()](const Response& response) {
      self->Answer(response);
    });
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "handler failed", {{"cause", e.what()}});
    Answer(MakeProblem(500, "an internal fault; the log tells more"));
  } catch (...) {
    Log(LogLevel::kError, "handler failed", {{"cause", "not a standard exception"}});
    Answer(MakeProblem(500, "an internal fault; the log tells more"));
  }
  lock->lock();
}

std::string_view Connection::WhyShed(const Request& request) const {
  const std::string_view why = Shed(context_->load, context_->unanswered, lag_->Wait(phase_began_));
  if (why.empty()) return why;
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const auto& kept = context_->never_shed;
  return std::find(kept.begin(), kept.end(), path) == kept.end() ? why : std::string_view();
}

void Connection::Answer(const Response& response) {
  Guard([&] {
    {
      const Lock lock(mutex_);
      if (!std::exchange(handed_, false)) return;
      --context_->unanswered;
      if (phase_ != Phase::kAnswering) return;
      StartAnswer(response, !keep_alive_ || context_->draining);
    }
    Pump();
  });
}

void Connection::SetPhase(Phase phase) {
  const auto in_flight = [](Phase p) { return p == Phase::kReceiving || p == Phase::kAnswering; };
  context_->in_flight += int{in_flight(phase)} - int{in_flight(phase_)};
  phase_ = phase;
  phase_began_ = Clock::now();
  const auto now = phase_began_;
  switch (phase) {
    case Phase::kHandshake:
      deadline_ = now + context_->handshake_timeout;
      break;
    case Phase::kIdle:
      deadline_ = now + context_->idle_timeout;
      break;
    case Phase::kReceiving:
    case Phase::kAnswering:
      deadline_ = now + context_->request_timeout;
      break;
    case Phase::kLingering:
      deadline_ = now + context_->linger;
      break;
    case Phase::kFinished:
      break;
  }
}

void Connection::CountBuffered() {
  const auto held = static_cast<int64_t>(input_.size() + output_.size() + parser_.buffered_bytes());
  context_->buffered_bytes += held - counted_bytes_;
  counted_bytes_ = held;
}

bool Connection::OverBudget() const {
  constexpr int64_t kSmall = 64 * 1024;  // small ones go on when large ones have taken the memory
  const auto most =
      static_cast<int64_t>(2 * context_->limits.max_body + context_->limits.max_header);
  return counted_bytes_ > most ||
         (counted_bytes_ > kSmall && context_->buffered_bytes > context_->max_buffered_bytes);
}

}  // namespace rebound
