// What a request is known by in logs: its id, and the trace that it is part of. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/http.h"

namespace rebound {

// The client's X-Request-ID where it is 1 to 128 printable ASCII characters, else a new one of 32
// hexadecimal digits.
std::string RequestIdOf(const Request& request);

// W3C Trace Context. Lower-case hexadecimal; neither is all zeros.
struct TraceParent {
  std::string trace_id;   // 32 digits
  std::string parent_id;  // 16 digits
};

// nullopt for anything that the specification does not allow. Pure.
std::optional<TraceParent> ParseTraceParent(std::string_view text);
// Of the one `traceparent` header; nullopt where it is not valid, not there, or there twice. Pure.
std::optional<TraceParent> TraceParentOf(const Request& request);

}  // namespace rebound
