#include "serve/door/request_parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace rebound {
namespace {

using State = RequestParser::State;

RequestParser::Limits SmallLimits() {
  RequestParser::Limits limits;
  limits.max_header = 400;
  limits.max_fields = 10;
  limits.max_body = 20;
  return limits;
}

struct Outcome {
  State state;
  int status = 0;
  std::string detail;
  Request request;
  size_t used = 0;
};

// Offers the bytes in pieces of `step`, keeping what is left over as a connection does.
Outcome Parse(std::string_view bytes, size_t step = std::string::npos) {
  RequestParser parser(SmallLimits());
  std::string waiting;
  Outcome outcome;
  for (size_t at = 0; at < bytes.size() && parser.state() == State::kNeedMore; at += step) {
    waiting += bytes.substr(at, step);
    const size_t used = parser.Feed(waiting);
    waiting.erase(0, used);
    outcome.used += used;
    if (step > bytes.size()) break;
  }
  outcome.state = parser.state();
  if (outcome.state == State::kFailed) {
    outcome.status = parser.error_status();
    outcome.detail = parser.error_detail();
  }
  if (outcome.state == State::kComplete) outcome.request = parser.Take();
  return outcome;
}

TEST(RequestParser, ReadsMethodTargetHeadersAndBody) {
  const std::string bytes =
      "POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nX-Odd:  spaced value \t\r\ncontent-LENGTH: "
      "5\r\n\r\nhelloNEXT";
  const Outcome outcome = Parse(bytes);
  ASSERT_EQ(outcome.state, State::kComplete) << outcome.detail;
  EXPECT_EQ(outcome.request.method, "POST");
  EXPECT_EQ(outcome.request.target, "/v1/x?a=b");
  EXPECT_EQ(outcome.request.body, "hello");
  ASSERT_NE(outcome.request.FindHeader("x-odd"), nullptr);
  EXPECT_EQ(*outcome.request.FindHeader("x-odd"), "spaced value");
  EXPECT_EQ(bytes.substr(outcome.used), "NEXT") << "the next request is left alone";
}

TEST(RequestParser, ForgivesOneEmptyLineBeforeARequest) {
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").state, State::kComplete);
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 1).state, State::kComplete);
  EXPECT_EQ(Parse("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 400);
}

TEST(RequestParser, ReadsChunksAndDropsTrailers) {
  const Outcome outcome = Parse(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;name=\"v\"\r\nhello\r\nA\r\n 123456789\r\n0\r\nX-Trailer: t\r\n\r\n");
  ASSERT_EQ(outcome.state, State::kComplete) << outcome.detail;
  EXPECT_EQ(outcome.request.body, "hello 123456789");
  EXPECT_EQ(outcome.request.FindHeader("x-trailer"), nullptr);
}

TEST(RequestParser, ReadsRequestAfterRequest) {
  RequestParser parser(SmallLimits());
  std::string bytes =
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /2 HTTP/1.0\r\n\r\n";
  bytes.erase(0, parser.Feed(bytes));
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_EQ(parser.Take().target, "/1");
  bytes.erase(0, parser.Feed(bytes));
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_TRUE(parser.http10());
  EXPECT_EQ(parser.Take().target, "/2");
  EXPECT_EQ(bytes, "");
}

TEST(RequestParser, TellsOnceThatTheClientWaitsForContinue) {
  RequestParser parser(SmallLimits());
  parser.Feed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(parser.TakeExpectContinue());
  EXPECT_FALSE(parser.TakeExpectContinue());
  parser.Feed("x");
  EXPECT_EQ(parser.state(), State::kComplete);
}

struct Bad {
  const char* what;
  std::string bytes;
  int status;
};

std::vector<Bad> BadRequests() {
  const std::string host = "Host: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\n" + host;
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
      {"bare CR in a field", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
      {"NUL in a field", std::string("GET / HTTP/1.1\r\nHost: h\0\r\n\r\n", 29), 400},
      {"folded field", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
      {"space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
      {"space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"field without a name", "GET / HTTP/1.1\r\n: h\r\nHost: h\r\n\r\n", 400},
      {"field without a colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: h\r\n\r\n", 400},
      {"version 2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"version 0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
      {"version of lower case", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"odd method", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"TLS on a plain port", "\x16\x03\x01", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"word as length", post + "Content-Length: abc\r\n\r\n", 400},
      {"digits and a word", post + "Content-Length: 2abc\r\n\r\n", 400},
      {"signed length", post + "Content-Length: +2\r\n\r\n", 400},
      {"negative length", post + "Content-Length: -2\r\n\r\n", 400},
      {"empty length", post + "Content-Length:\r\n\r\n", 400},
      {"hexadecimal length", post + "Content-Length: 0x2\r\n\r\n", 400},
      {"length beyond 64 bits", post + "Content-Length: 18446744073709551617\r\n\r\n", 400},
      {"two equal lengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n", 400},
      {"two different lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", 400},
      {"a list of lengths", post + "Content-Length: 2, 2\r\n\r\n", 400},
      {"length, then chunked", post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"chunked, then length", post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
       400},
      {"another coding", post + "Transfer-Encoding: gzip\r\n\r\n", 400},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n", 400},
      {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", 400},
      {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"vertical tab before chunked", post + "Transfer-Encoding: \vchunked\r\n\r\n", 400},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunk size of no number", chunked + "x\r\n", 400},
      {"chunk size with 0x", chunked + "0x3\r\nabc\r\n0\r\n\r\n", 400},
      {"negative chunk", chunked + "-1\r\n", 400},
      {"chunk size beyond 64 bits", chunked + "11111111111111111\r\n", 400},
      {"chunk longer than it says", chunked + "2\r\nabc\r\n0\r\n\r\n", 400},
      {"chunk line with bare LF", chunked + "3\nabc\r\n0\r\n\r\n", 400},
      {"chunk data with bare LF", chunked + "3\r\nabc\n0\r\n\r\n", 400},
      {"odd chunk extension", chunked + "3;;\r\nabc\r\n", 400},
      {"bad trailer", chunked + "0\r\nnonsense\r\n\r\n", 400},
      {"too large a chunk", chunked + "15\r\n", 413},
      {"chunks too large together", chunked + "A\r\n0123456789\r\nB\r\n", 413},
      {"too large a body", post + "Content-Length: 21\r\n\r\n", 413},
      {"an unknown expectation", post + "Expect: tea\r\nContent-Length: 1\r\n\r\n", 417},
      {"endless target", "GET /" + std::string(500, 'a'), 431},
      {"endless header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(500, 'a'), 431},
      {"endless chunk line", chunked + "1;" + std::string(500, 'a'), 431},
      {"endless trailer", chunked + "0\r\nX: " + std::string(500, 'a'), 431},
      {"too many fields",
       post + "a:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\n\r\n", 431},
  };
}

TEST(RequestParser, RefusesWhatTwoParsersCouldReadDifferently) {
  for (const Bad& bad : BadRequests()) {
    const Outcome outcome = Parse(bad.bytes);
    EXPECT_EQ(outcome.state, State::kFailed) << bad.what;
    EXPECT_EQ(outcome.status, bad.status) << bad.what << ": " << outcome.detail;
  }
}

TEST(RequestParser, RefusesTheSameHoweverTheBytesArrive) {
  for (const Bad& bad : BadRequests()) {
    for (const size_t step : {1, 2, 3, 7}) {
      EXPECT_EQ(Parse(bad.bytes, step).status, bad.status) << bad.what << " in steps of " << step;
    }
  }
}

TEST(RequestParser, WaitsForAnIncompleteRequest) {
  const std::string whole =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(Parse(whole.substr(0, length)).state, State::kNeedMore) << length;
  }
}

}  // namespace
}  // namespace rebound
