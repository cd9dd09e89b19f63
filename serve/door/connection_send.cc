// How a connection speaks: answers, errors, and its end.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "serve/door/answer_head.h"
#include "serve/door/connection.h"
#include "serve/door/slow_writer.h"
#include "serve/problem.h"
#include "serve/trace.h"

namespace rebound {

void Connection::StartAnswer(const Response& response, bool close) {
  constexpr size_t kJoined = 12 * 1024;  // one TLS record for what is small
  close_after_ = close;
  const bool body = !head_only_ && HasBody(response);
  if (tls_ == nullptr) {
    AppendAnswerHead(response, close_after_, http10_, &output_);
    if (body) output_.append(response.body);
    return Flush();
  }
  std::string plain;
  AppendAnswerHead(response, close_after_, http10_, &plain);
  if (body && response.body.size() <= kJoined) plain.append(response.body);
  Write(plain);
  if (body && response.body.size() > kJoined) Write(response.body);
  if (close_after_) tls_->Close(&output_);
  Flush();
}

// An answer that the handler does not know of. `request`: null where it was not whole.
void Connection::StartOwnAnswer(Response response, const Request* request, bool close) {
  static const Request kUnknown;
  const std::string id = RequestIdOf(request == nullptr ? kUnknown : *request);
  response.headers.emplace_back("X-Request-ID", id);
  if (context_->witness) {
    DoorAnswer answer;
    answer.status = response.status;
    answer.request_id = id;
    answer.peer = peer_.text;
    answer.tls = tls_ != nullptr;
    answer.request = request;
    answer.taken = Clock::now() - request_began_;
    answer.bytes_in = request == nullptr ? parser_.buffered_bytes() : request->body.size();
    answer.bytes_out = response.body.size();
    context_->witness(answer);
  }
  StartAnswer(response, close);
}

// From HTTP to output_, through TLS where there is one.
void Connection::Write(std::string_view plain) {
  if (tls_ == nullptr) {
    output_.append(plain);
  } else if (!tls_->Send(plain, &output_)) {
    HangUp();
  }
}

// An answer to what was not understood, after which nothing more is read.
void Connection::Fail(int status, std::string_view detail) {
  ++context_->refused;
  head_only_ = false;
  http10_ = false;
  SetPhase(Phase::kAnswering);
  StartOwnAnswer(MakeProblem(status, detail), nullptr, true);
}

// The last bytes (close_notify, an alert) leave, then the connection ends.
void Connection::SayGoodbye() {
  if (tls_ != nullptr) tls_->Close(&output_);
  close_after_ = true;
  SetPhase(Phase::kAnswering);
  Flush();
}

void Connection::Flush() {
  if (phase_ == Phase::kLingering || phase_ == Phase::kFinished) return;
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
  output_.clear();
  output_begin_ = 0;
  if (phase_ == Phase::kAnswering && !handed_) EndAnswer();
}

void Connection::EndAnswer() {
  constexpr size_t kKept = 64 * 1024;  // a large answer's memory is not kept for the next
  if (output_.capacity() > kKept) output_.shrink_to_fit();
  if (input_.capacity() > kKept && input_begin_ == input_.size()) {
    input_.clear();
    input_begin_ = 0;
    input_.shrink_to_fit();
  }
  CountBuffered();
  if (!close_after_) return SetPhase(Phase::kIdle);
  input_.clear();
  input_begin_ = 0;
  // The last bytes must not be lost to a reset: stop sending, let the client close first.
  ::shutdown(fd_, SHUT_WR);
  SetPhase(Phase::kLingering);
}

// Ends the connection now: the next turn, for which the reactor wakes its worker, reads the end.
void Connection::HangUp() {
  if (phase_ == Phase::kFinished) return;
  if (phase_ == Phase::kAnswering || late_input_) {
    // Unsent bytes would stay in the kernel for as long as the client does not read, and so would
    // the connection of a client that goes on sending.
    const linger reset{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  ::shutdown(fd_, SHUT_RDWR);
  SetPhase(Phase::kLingering);
}

void Connection::Forget() {
  if (phase_ == Phase::kFinished) return;
  if (fd_ >= 0 && watched_) context_->slow_writer->Unwatch(fd_);
  watched_ = false;
  fd_ = -1;
  SetPhase(Phase::kFinished);
  std::string().swap(input_);
  input_begin_ = 0;
  std::string().swap(output_);
  output_begin_ = 0;
}

}  // namespace rebound
