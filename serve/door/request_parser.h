// A strict HTTP/1.1 request parser over bytes: Boost.Beast's grammar behind our own framing rules.
//
// What two parsers could read differently is refused, so that no proxy in front can be tricked:
// bare LF, folded lines, more than one or an odd Content-Length, Content-Length beside
// Transfer-Encoding, any coding but `chunked`, a missing or second Host. One object reads one
// request after the other. Thread-compatible.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http.h"

namespace rebound {

class RequestParser {
 public:
  struct Limits {
    size_t max_header = 16 * 1024;  // request line and header fields; a chunk's line; a trailer
    size_t max_fields = 100;
    size_t max_body = 4 * 1024 * 1024;
  };
  enum class State { kNeedMore, kComplete, kFailed };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  // Reads from `input`, which begins with the bytes that earlier calls left over, and returns how
  // many bytes it is done with; the caller keeps the rest and offers it again with what comes.
  // Stops at the end of a request.
  size_t Feed(std::string_view input);

  State state() const;

  // Once the header was read: the client waits for "100 Continue" before it sends its body. True at
  // most once a request.
  bool TakeExpectContinue();

  // REQUIRES: kComplete. Hands out the request and makes the parser ready for the next.
  Request Take();
  // REQUIRES: kComplete. May the connection serve another request; did the client speak HTTP/1.0?
  bool keep_alive() const;
  bool http10() const;

  // REQUIRES: kFailed. Nothing after this point can be trusted: answer and close.
  int error_status() const;
  const std::string& error_detail() const;

  size_t buffered_bytes() const;  // of the body so far

 private:
  class Grammar;

  size_t FeedHeader(std::string_view input);
  size_t FeedBody(std::string_view input);
  // Bytes of the complete header at the front of `input`, or 0; fails on what no header may hold.
  size_t ScanHeader(std::string_view input);
  void CheckHeader();
  void Fail(int status, std::string detail);

  const Limits limits_;
  std::unique_ptr<Grammar> grammar_;
  State state_ = State::kNeedMore;
  bool in_body_ = false;
  bool blank_line_skipped_ = false;
  size_t scanned_ = 0;     // of the header: lines that were checked
  size_t line_start_ = 0;  // of the line that is not complete yet
  bool expect_continue_ = false;
  int error_status_ = 0;
  std::string error_detail_;
};

}  // namespace rebound
