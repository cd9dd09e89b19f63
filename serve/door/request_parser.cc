#include "serve/door/request_parser.h"

// Beast 1.74 asserts a length that a last chunk which comes first need not have ("0\r\n" and one
// more byte); what it does then is right.
#define BOOST_DISABLE_ASSERTS
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cctype>
#include <utility>

#include "base/text.h"

namespace rebound {

namespace http = boost::beast::http;

// Beast's parser filling our Request. Field values are kept as they stand; the rules on them are
// CheckHeader's.
class RequestParser::Grammar : public http::basic_parser<true> {
 public:
  explicit Grammar(const Limits& limits) : max_fields_(limits.max_fields) {
    header_limit(static_cast<uint32_t>(limits.max_header + 1));
    body_limit(limits.max_body);
  }

  Request request;
  bool http10 = false;
  bool too_many_fields = false;
  int content_lengths = 0;
  int transfer_encodings = 0;
  int hosts = 0;
  bool plain_length = true;  // every Content-Length is digits alone
  bool plain_chunked = true;
  std::string expect;

 private:
  using Verb = http::verb;
  using Field = http::field;
  using Code = boost::beast::error_code;
  using View = boost::beast::string_view;

  void on_request_impl(Verb, View method, View target, int version, Code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    request.headers.reserve(std::min<size_t>(max_fields_, 12));  // what most clients stay below
    http10 = version < 11;
  }
  void on_response_impl(int, View, int, Code&) override {}

  void on_field_impl(Field field, View name, View value, Code& ec) override {
    if (header_done_) return;  // a trailer: checked by the grammar, then dropped
    if (request.headers.size() == max_fields_) {
      too_many_fields = true;
      ec = http::error::header_limit;
      return;
    }
    const std::string_view text(value.data(), value.size());
    if (field == Field::content_length) {
      ++content_lengths;
      plain_length =
          plain_length && !text.empty() &&
          std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    } else if (field == Field::transfer_encoding) {
      ++transfer_encodings;
      plain_chunked = plain_chunked && AsciiLower(text) == "chunked";
    } else if (field == Field::host) {
      ++hosts;
    } else if (field == Field::expect) {
      expect = expect.empty() ? AsciiLower(text) : "several";
    }
    request.headers.emplace_back(AsciiLower({name.data(), name.size()}), text);
  }
  void on_header_impl(Code&) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& length, Code&) override {
    // A promise is no reason to hold megabytes: larger bodies grow as they come.
    request.body.reserve(std::min<size_t>(length.value_or(0), 64 * 1024));
  }
  size_t on_body_impl(View bytes, Code&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(uint64_t, View, Code&) override {}
  size_t on_chunk_body_impl(uint64_t, View bytes, Code&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(Code&) override {}

  size_t max_fields_;
  bool header_done_ = false;
};

namespace {

bool IsTokenChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// The request line names an HTTP version, but none of ours: "GET / HTTP/2.0".
bool NamesOtherVersion(std::string_view input) {
  const std::string_view line = input.substr(0, input.find('\r'));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const auto digit = [&](size_t i) { return version[i] >= '0' && version[i] <= '9'; };
  return version.size() == 8 && version.substr(0, 5) == "HTTP/" && digit(5) && version[6] == '.' &&
         digit(7) && version != "HTTP/1.0" && version != "HTTP/1.1";
}

}  // namespace

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), grammar_(std::make_unique<Grammar>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::state() const { return state_; }
bool RequestParser::keep_alive() const { return grammar_->keep_alive(); }
bool RequestParser::http10() const { return grammar_->http10; }
int RequestParser::error_status() const { return error_status_; }
const std::string& RequestParser::error_detail() const { return error_detail_; }
size_t RequestParser::buffered_bytes() const { return grammar_->request.body.size(); }

bool RequestParser::TakeExpectContinue() { return std::exchange(expect_continue_, false); }

Request RequestParser::Take() {
  Request request = std::move(grammar_->request);
  grammar_ = std::make_unique<Grammar>(limits_);
  state_ = State::kNeedMore;
  in_body_ = blank_line_skipped_ = expect_continue_ = false;
  scanned_ = line_start_ = 0;
  return request;
}

void RequestParser::Fail(int status, std::string detail) {
  state_ = State::kFailed;
  error_status_ = status;
  error_detail_ = std::move(detail);
}

size_t RequestParser::Feed(std::string_view input) {
  size_t used = 0;
  if (state_ == State::kNeedMore && !in_body_) used = FeedHeader(input);
  if (state_ == State::kNeedMore && in_body_) used += FeedBody(input.substr(used));
  return used;
}

size_t RequestParser::FeedHeader(std::string_view input) {
  size_t skipped = 0;
  if (!blank_line_skipped_ && input == "\r") return 0;
  if (scanned_ == 0 && !blank_line_skipped_ && input.substr(0, 2) == "\r\n") {
    blank_line_skipped_ = true;  // RFC 9112, 2.2: one empty line before a request is forgiven
    skipped = 2;
    input.remove_prefix(2);
  }
  const size_t length = ScanHeader(input);
  if (length == 0) return skipped;
  boost::beast::error_code ec;
  const size_t used = grammar_->put(boost::asio::buffer(input.data(), length), ec);
  if (ec == http::error::bad_version && NamesOtherVersion(input)) {
    Fail(505, "this server speaks HTTP/1.1 and HTTP/1.0");
  } else if (ec == http::error::body_limit) {
    Fail(413, "the body is larger than " + std::to_string(limits_.max_body) + " bytes");
  } else if (ec == http::error::header_limit) {
    Fail(431, "more than " + std::to_string(limits_.max_fields) + " header fields");
  } else if (ec || used != length) {
    Fail(400, "malformed HTTP request: " +
                  (ec ? ec.message() : "the header does not end where it should"));
  } else {
    CheckHeader();
    in_body_ = true;
    if (state_ == State::kNeedMore && grammar_->is_done()) state_ = State::kComplete;
  }
  return skipped + used;
}

size_t RequestParser::ScanHeader(std::string_view input) {
  if (scanned_ == 0 && !input.empty() && input[0] != '\r' && !IsTokenChar(input[0])) {
    Fail(400, "malformed HTTP request: it does not begin with a method");
    return 0;
  }
  const std::string_view seen = input.substr(0, limits_.max_header);
  for (;;) {
    const size_t lf = seen.find('\n', scanned_);
    if (lf == std::string_view::npos) break;
    if (lf == 0 || seen[lf - 1] != '\r') {
      Fail(400, "malformed HTTP request: a line ends without CR");
      return 0;
    }
    if (lf - 1 == line_start_) {
      if (line_start_ != 0) return lf + 1;
      Fail(400, "malformed HTTP request: the request line is empty");
      return 0;
    }
    if (line_start_ != 0 && (seen[line_start_] == ' ' || seen[line_start_] == '\t')) {
      Fail(400, "malformed HTTP request: a header field is folded over two lines");
      return 0;
    }
    scanned_ = line_start_ = lf + 1;
  }
  scanned_ = std::max(scanned_, seen.size());
  if (input.size() > limits_.max_header) {
    Fail(431, "the header is larger than " + std::to_string(limits_.max_header) + " bytes");
  }
  return 0;
}

void RequestParser::CheckHeader() {
  const Grammar& g = *grammar_;
  if (g.content_lengths > 1 || !g.plain_length) {
    Fail(400, "malformed HTTP request: more than one Content-Length, or one that is not a number");
  } else if (g.transfer_encodings > 0 && g.content_lengths > 0) {
    Fail(400, "malformed HTTP request: Content-Length beside Transfer-Encoding");
  } else if (g.transfer_encodings > 1 || !g.plain_chunked ||
             (g.transfer_encodings > 0 && g.http10)) {
    Fail(400,
         "malformed HTTP request: the only Transfer-Encoding understood is chunked, in HTTP/1.1");
  } else if (g.hosts > 1 || (g.hosts == 0 && !g.http10)) {
    Fail(400, "malformed HTTP request: there must be one Host");
  } else if (!g.expect.empty() && g.expect != "100-continue") {
    Fail(417, "the only expectation that can be met is 100-continue");
  } else {
    expect_continue_ = !g.expect.empty() && !g.http10 && !g.is_done();
  }
}

size_t RequestParser::FeedBody(std::string_view input) {
  size_t used = 0;
  while (used < input.size() && !grammar_->is_done()) {
    boost::beast::error_code ec;
    const std::string_view rest = input.substr(used);
    const size_t taken = grammar_->put(boost::asio::buffer(rest.data(), rest.size()), ec);
    used += taken;
    if (ec == http::error::need_more) {
      // What is left over is an incomplete chunk line or trailer.
      if (input.size() - used > limits_.max_header) {
        Fail(431, "a chunk's line or the trailer is larger than " +
                      std::to_string(limits_.max_header) + " bytes");
      }
      break;
    }
    if (ec == http::error::body_limit) {
      Fail(413, "the body is larger than " + std::to_string(limits_.max_body) + " bytes");
      break;
    }
    if (ec) {
      Fail(400, "malformed HTTP request: " + ec.message());
      break;
    }
  }
  if (!input.empty()) expect_continue_ = false;  // the client did not wait
  if (state_ == State::kNeedMore && grammar_->is_done()) state_ = State::kComplete;
  return used;
}

}  // namespace rebound
