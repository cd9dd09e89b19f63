#include "serve/door/connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <exception>
#include <utility>

#include "base/log.h"
#include "serve/door/slow_writer.h"
#include "serve/problem.h"

namespace rebound {
namespace {

// RFC 9110's date of this second.
std::string_view HttpDate() {
  thread_local std::time_t shown = 0;
  thread_local char text[40];
  thread_local size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != shown) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    shown = now;
  }
  return {text, length};
}

void AppendHead(const Response& response, bool close, bool http10, std::string* out) {
  out->append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out->append(ReasonPhrase(response.status));
  out->append("\r\nDate: ").append(HttpDate());
  if (!response.content_type.empty()) {
    out->append("\r\nContent-Type: ").append(response.content_type);
  }
  out->append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers) {
    out->append("\r\n").append(name).append(": ").append(value);
  }
  if (close) {
    out->append("\r\nConnection: close");
  } else if (http10) {
    out->append("\r\nConnection: keep-alive");
  }
  out->append("\r\n\r\n");
}

}  // namespace

Connection::Connection(int fd, ConnectionContext* context)
    : context_(context),
      fd_(fd),
      deadline_(Clock::now() + context->idle_timeout),
      parser_(context->limits) {
  ++context_->open_connections;
}

Connection::~Connection() {
  Forget();
  context_->buffered_bytes -= counted_bytes_;
  --context_->open_connections;
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

void Connection::OnInput(std::string_view bytes) {
  Guard([&] {
    {
      const Lock lock(mutex_);
      if (phase_ == Phase::kLingering || phase_ == Phase::kFinished) return;
      input_.append(bytes);
    }
    Pump();
    const Lock lock(mutex_);
    CountBuffered();
    if (!OverBudget()) return;
    if (phase_ == Phase::kReceiving) {
      Fail(503, "the server holds too many unfinished requests");
    } else if (phase_ == Phase::kAnswering) {
      HangUp();
    }
  });
}

void Connection::OnClosing() {
  Guard([&] {
    {
      const Lock lock(mutex_);
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
    {
      const Lock lock(mutex_);
      if (phase_ != Phase::kAnswering || handed_) return;
      Flush();
    }
    Pump();
  });
}

void Connection::Tick(Clock::time_point now) {
  Guard([&] {
    const Lock lock(mutex_);
    if (phase_ == Phase::kFinished) return;
    if (phase_ == Phase::kIdle && context_->draining) return HangUp();
    if (now < deadline_) return;
    if (phase_ == Phase::kReceiving) {
      Fail(408, "the request did not arrive in time");
    } else {
      HangUp();
    }
  });
}

void Connection::Refuse() {
  Guard([&] {
    const Lock lock(mutex_);
    Fail(503, "the server has no connection left");
  });
}

void Connection::Pump() {
  Lock lock(mutex_);
  if (pumping_) return;  // the loop that runs sees what changed
  pumping_ = true;
  while (Step(&lock)) {
  }
  pumping_ = false;
}

// One step of the loop: false where it waits for input, for an answer, or for nothing any more.
bool Connection::Step(Lock* lock) {
  if (phase_ != Phase::kIdle && phase_ != Phase::kReceiving) return false;
  const auto rest = std::string_view(input_).substr(input_begin_);
  if (rest.empty()) {
    input_.clear();
    input_begin_ = 0;
    if (owns_fd_) Forget();
    return false;
  }
  if (phase_ == Phase::kIdle) SetPhase(Phase::kReceiving);
  input_begin_ += parser_.Feed(rest);
  switch (parser_.state()) {
    case RequestParser::State::kNeedMore:
      if (owns_fd_) {  // nothing more can come
        Forget();
        return false;
      }
      input_.erase(0, std::exchange(input_begin_, 0));
      if (parser_.TakeExpectContinue()) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const ssize_t sent =
            ::send(fd_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent != static_cast<ssize_t>(kContinue.size())) HangUp();
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
  handed_ = true;
  SetPhase(Phase::kAnswering);
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

void Connection::Answer(const Response& response) {
  Guard([&] {
    {
      const Lock lock(mutex_);
      if (!std::exchange(handed_, false) || phase_ != Phase::kAnswering) return;
      StartAnswer(response, !keep_alive_ || context_->draining);
    }
    Pump();
  });
}

void Connection::StartAnswer(const Response& response, bool close) {
  close_after_ = close;
  output_.clear();
  output_begin_ = 0;
  AppendHead(response, close, http10_, &output_);
  if (!head_only_) output_.append(response.body);
  Flush();
}

// An answer to what was not understood, after which nothing more is read.
void Connection::Fail(int status, std::string_view detail) {
  head_only_ = false;
  SetPhase(Phase::kAnswering);
  StartAnswer(MakeProblem(status, detail), true);
}

void Connection::Flush() {
  while (output_begin_ < output_.size()) {
    const ssize_t sent = ::send(fd_, output_.data() + output_begin_, output_.size() - output_begin_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      output_begin_ += static_cast<size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watched_ = true;
      if (!context_->slow_writer->Watch(fd_, shared_from_this())) HangUp();
      CountBuffered();
      return;
    } else if (errno != EINTR) {
      return HangUp();
    }
  }
  EndAnswer();
}

void Connection::EndAnswer() {
  constexpr size_t kKept = 64 * 1024;  // a large answer's memory is not kept for the next
  output_.clear();
  output_begin_ = 0;
  if (output_.capacity() > kKept) output_.shrink_to_fit();
  if (input_.capacity() > kKept && input_begin_ == input_.size()) {
    input_.clear();
    input_begin_ = 0;
    input_.shrink_to_fit();
  }
  CountBuffered();
  if (!close_after_) return SetPhase(Phase::kIdle);
  if (owns_fd_) return Forget();
  input_.clear();
  input_begin_ = 0;
  // The last bytes must not be lost to a reset: stop sending, let the client close first.
  ::shutdown(fd_, SHUT_WR);
  SetPhase(Phase::kLingering);
}

// Ends the connection now. The reactor sees the end of the stream and calls OnClosing.
void Connection::HangUp() {
  if (phase_ == Phase::kFinished) return;
  if (phase_ == Phase::kAnswering) {
    // Unsent bytes would stay in the kernel for as long as the client does not read.
    const linger reset{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  ::shutdown(fd_, SHUT_RDWR);
  if (owns_fd_) return Forget();
  SetPhase(Phase::kLingering);
}

void Connection::Forget() {
  if (phase_ == Phase::kFinished) return;
  if (fd_ >= 0 && watched_) context_->slow_writer->Unwatch(fd_);
  watched_ = false;
  if (owns_fd_) ::close(fd_);
  fd_ = -1;
  SetPhase(Phase::kFinished);
  std::string().swap(input_);
  input_begin_ = 0;
  std::string().swap(output_);
  output_begin_ = 0;
}

void Connection::SetPhase(Phase phase) {
  const auto in_flight = [](Phase p) { return p == Phase::kReceiving || p == Phase::kAnswering; };
  context_->in_flight += int{in_flight(phase)} - int{in_flight(phase_)};
  phase_ = phase;
  const auto now = Clock::now();
  switch (phase) {
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
