#include "serve/door/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "serve/door/slow_writer.h"
#include "serve/door/tls_files.h"
#include "serve/door/turns.h"
#include "serve/problem.h"

namespace rebound {
Connection::Connection(int fd, ConnectionContext* context, const LoopLag* lag, Turns* turns)
    : context_(context),
      lag_(lag),
      turns_(turns),
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

void Connection::OnReadable(bool ended) {
  ended_ |= ended;
  readable_ = true;
}

bool Connection::Turn() {
  bool gone = false;
  Guard([&] {
    queued_ = false;
    Lock lock(mutex_);
    if (phase_ == Phase::kFinished) return;
    if (WantsInput() && !Receive()) {
      gone = true;
      return;
    }
    HandleInput(&lock);
    CountBuffered();
    HoldToBudget();
    if (WantsTurn()) QueueForTurn();
  });
  return !gone;
}

// What a turn may read: the rest waits in the kernel, which stops a sender that is too fast.
bool Connection::WantsInput() const {
  return readable_ && phase_ != Phase::kAnswering && (phase_ == Phase::kLingering || !unparsed_);
}

// Once from the socket. False at its end.
bool Connection::Receive() {
  thread_local std::array<char, 64 * 1024> buffer;
  const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count == 0) return false;
  if (count < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    readable_ = false;
    return true;
  }
  const auto length = static_cast<size_t>(count);
  // Less than there was room for is all there was: the reactor tells of what comes after it.
  if (length < buffer.size() && !ended_) readable_ = false;
  if (phase_ == Phase::kLingering) {
    late_input_ = true;
  } else {
    Read({buffer.data(), length});
  }
  return true;
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
  if (input_.size() > before) unparsed_ = true;
  if (phase_ == Phase::kReceiving) request_bytes_ += input_.size() - before;
}

// The client speaks no TLS. One that speaks HTTP is told so, in its own language.
void Connection::AnswerPlainHttp() {
  tls_ = nullptr;
  Response response = MakeProblem(400, "");
  response.content_type = "text/plain";
  response.body = "This port speaks HTTPS: use https:// in place of http://\n";
  SetPhase(Phase::kAnswering);
  StartOwnAnswer(std::move(response), nullptr, true);
}

void Connection::OnClosing() {
  Guard([&] {
    const Lock lock(mutex_);
    Forget();
  });
}

void Connection::OnWritable() {
  Guard([&] {
    const Lock lock(mutex_);
    if (phase_ == Phase::kLingering || phase_ == Phase::kFinished) return;
    Flush();
    if (WantsTurn()) QueueForTurn();
  });
}

void Connection::Tick(Clock::time_point now) {
  Guard([&] {
    const Lock lock(mutex_);
    HoldToTime(now);
    if (WantsTurn()) QueueForTurn();
  });
}

void Connection::HoldToTime(Clock::time_point now) {
  if (phase_ == Phase::kFinished) return;
  const bool silent =
      (phase_ == Phase::kIdle && !unparsed_) || (phase_ == Phase::kHandshake && !handshaking_);
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
}

bool Connection::IsTooSlow(Clock::time_point now) const {
  const auto taken = now - phase_began_;
  if (context_->min_rate == 0 || taken < context_->rate_grace) return false;
  const std::chrono::duration<double> seconds = taken;
  return static_cast<double>(request_bytes_) <
         seconds.count() * static_cast<double>(context_->min_rate);
}

void Connection::Refuse(int status, std::string_view detail) {
  Guard([&] {
    const Lock lock(mutex_);
    if (tls_ != nullptr) return HangUp();
    Fail(status, detail);
  });
}

void Connection::Drop() {
  Guard([&] {
    const Lock lock(mutex_);
    HangUp();
  });
}

// A turn's requests.
void Connection::HandleInput(Lock* lock) {
  in_turn_ = true;
  if (Step(lock)) {
    const auto end = phase_began_ + kTurnTime;
    for (int done = 1; done < kTurnRequests && phase_began_ < end && Step(lock); ++done) {
    }
  }
  in_turn_ = false;
}

// Could a turn do more? In the turn itself its end tells.
bool Connection::WantsTurn() const {
  if (in_turn_) return false;
  switch (phase_) {
    case Phase::kIdle:
    case Phase::kReceiving:
      return readable_ || unparsed_ || input_ended_;
    case Phase::kHandshake:
    case Phase::kLingering:
      return readable_;
    case Phase::kAnswering:
    case Phase::kFinished:
      return false;
  }
  return false;
}

void Connection::QueueForTurn() {
  if (queued_.exchange(true)) return;
  try {
    turns_->Add(shared_from_this());
  } catch (...) {
    queued_ = false;
    throw;
  }
}

// One step of a turn: false where it waits for input, for an answer, or for nothing any more.
bool Connection::Step(Lock* lock) {
  if (phase_ != Phase::kIdle && phase_ != Phase::kReceiving) return false;
  const auto rest = std::string_view(input_).substr(input_begin_);
  if (rest.empty()) {
    input_.clear();
    input_begin_ = 0;
    unparsed_ = false;
    if (input_ended_) SayGoodbye();
    return false;
  }
  if (phase_ == Phase::kIdle) {
    SetPhase(Phase::kReceiving);
    request_bytes_ = rest.size();
  }
  input_begin_ += parser_.Feed(rest);
  switch (parser_.state()) {
    case RequestParser::State::kNeedMore:
      input_.erase(0, std::exchange(input_begin_, 0));
      unparsed_ = false;
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
      if (input_begin_ == input_.size()) {
        input_.clear();
        input_begin_ = 0;
        unparsed_ = false;
      }
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
  request.peer = peer_.text;
  SetPhase(Phase::kAnswering);
  if (const std::string_view why = WhyShed(request); !why.empty()) {
    ++context_->shed;
    return StartOwnAnswer(MakeProblem(503, why), &request, !keep_alive_ || context_->draining);
  }
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
    const Lock lock(mutex_);
    if (!std::exchange(handed_, false)) return;
    --context_->unanswered;
    if (phase_ != Phase::kAnswering) return;
    StartAnswer(response, !keep_alive_ || context_->draining);
    if (WantsTurn()) QueueForTurn();
  });
}

void Connection::SetPhase(Phase phase, Clock::time_point now) {
  const auto in_flight = [](Phase p) { return p == Phase::kReceiving || p == Phase::kAnswering; };
  const int more = int{in_flight(phase)} - int{in_flight(phase_)};
  if (more != 0) context_->in_flight += more;
  if (!in_flight(phase_)) request_began_ = now;
  phase_ = phase;
  phase_began_ = now;
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
  if (held == counted_bytes_) return;
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

void Connection::HoldToBudget() {
  if (!OverBudget()) return;
  if (phase_ == Phase::kReceiving) {
    Fail(503, "the server holds too many unfinished requests");
  } else if (phase_ != Phase::kLingering) {
    HangUp();
  }
}

}  // namespace rebound
