#include "engine/library/boundary.h"

#include <cstring>
#include <string>

namespace rebound {
namespace {

thread_local std::string last_text;
thread_local const char* last_error = "";

}  // namespace

rebound_status StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return REBOUND_INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return REBOUND_NOT_FOUND;
    case ErrorCode::kTooLarge:
      return REBOUND_TOO_LARGE;
    case ErrorCode::kUnavailable:
    case ErrorCode::kConflict:
    case ErrorCode::kCancelled:
      return REBOUND_UNAVAILABLE;
    case ErrorCode::kCorrupt:
      return REBOUND_CORRUPT;
    case ErrorCode::kInternal:
      break;
  }
  return REBOUND_INTERNAL;
}

rebound_status Fail(rebound_status status, std::string_view text) noexcept {
  try {
    last_text.assign(text);
    last_error = last_text.c_str();
  } catch (...) {
    last_error = "out of memory";
  }
  return status;
}

std::string_view TextArgument(const char* text, size_t length, const char* name) {
  CheckGiven(text, name);
  return {text, length == REBOUND_TO_NUL ? std::strlen(text) : length};
}

}  // namespace rebound

extern "C" {

const char* rebound_last_error(void) { return rebound::last_error; }

const char* rebound_status_name(int status) {
  switch (status) {
    case REBOUND_OK:
      return "ok";
    case REBOUND_INVALID_ARGUMENT:
      return "invalid_argument";
    case REBOUND_NOT_FOUND:
      return "not_found";
    case REBOUND_TOO_LARGE:
      return "too_large";
    case REBOUND_UNAVAILABLE:
      return "unavailable";
    case REBOUND_CORRUPT:
      return "corrupt";
    case REBOUND_OUT_OF_MEMORY:
      return "out_of_memory";
    case REBOUND_INTERNAL:
      return "internal";
    default:
      return "unknown";
  }
}

}  // extern "C"
