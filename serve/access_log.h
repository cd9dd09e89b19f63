// One JSON line a request, for operators: who, what, how it went, never what was said.
//
// No text, no body, no query, no path that the server does not know, no key. Of the client's
// address the network alone, unless more is asked for. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "serve/line_writer.h"
#include "serve/trace.h"

namespace rebound {

enum class PeerDetail { kNone, kMasked, kFull };

struct AccessLogOptions {
  std::filesystem::path file;  // "-": standard output
  double sample = 1;           // the part of the requests that is logged; errors always are
  PeerDetail peer = PeerDetail::kMasked;
};

struct AccessRecord {
  std::chrono::system_clock::time_point time;  // when it was answered
  std::chrono::nanoseconds taken{0};
  std::string_view request_id;
  std::optional<TraceParent> trace;
  std::string_view method;  // empty: it was not read so far
  std::string_view route;   // its pattern; empty: there is no such route
  int status = 0;
  size_t bytes_in = 0;  // of the bodies
  size_t bytes_out = 0;
  size_t texts = 0;      // classified
  std::string_view key;  // its name
  std::string_view peer;
  bool tls = false;
};

// The line with its line end; what does not apply is absent. Pure.
std::string AccessLine(const AccessRecord& record, const AccessLogOptions& options);

class AccessLog {
 public:
  // Throws what LineWriter throws.
  explicit AccessLog(const AccessLogOptions& options) : options_(options), writer_(options.file) {}

  // Whether a request with this answer is to be logged: every error, and of the rest the sample.
  bool Takes(int status) const;
  void Write(const AccessRecord& record) { writer_.Put(AccessLine(record, options_)); }
  void Reopen() { writer_.Reopen(); }
  void Flush() { writer_.Flush(); }
  uint64_t dropped() const { return writer_.dropped(); }

 private:
  const AccessLogOptions options_;
  LineWriter writer_;
};

}  // namespace rebound
