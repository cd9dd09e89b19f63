// Cuts a message to what a MIME parser may see. Pure, linear, Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rebound {

struct GuardLimits {
  size_t field_bytes;      // of one header field with what it goes on
  size_t header_fields;    // of the message and its parts together
  size_t delimiter_lines;  // lines that begin with "--"
};
struct GuardedBytes {
  std::string bytes;        // LF line ends, no NUL, no mbox line before the header
  bool has_header = false;  // else there is no header to read: all is body
  bool truncated = false;   // header fields left out or cut, or the rest behind the last delimiter
};

GuardedBytes GuardMime(std::string_view bytes, const GuardLimits& limits);

}  // namespace rebound
