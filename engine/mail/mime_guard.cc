#include "engine/mail/mime_guard.h"

#include <algorithm>
#include <cstring>

namespace rebound {
namespace {

// A header line begins with a name and a colon.
bool BeginsField(std::string_view line) {
  const size_t most = std::min<size_t>(line.size(), 128);
  for (size_t i = 0; i < most; ++i) {
    const char c = line[i];
    if (c == ':') return i > 0;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '_'))) return false;
  }
  return false;
}
// The next line without its end; `*text` goes behind it. Ends are LF, CRLF, and CR alone where the
// message knows no LF.
std::string_view TakeLine(std::string_view* text, bool cr_alone, bool* ended) {
  const size_t end = text->find(cr_alone ? '\r' : '\n');
  *ended = end != std::string_view::npos;
  std::string_view line = text->substr(0, end);
  text->remove_prefix(*ended ? end + 1 : text->size());
  if (*ended && !cr_alone && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

GuardedBytes GuardMime(std::string_view bytes, const GuardLimits& limits) {
  GuardedBytes out;
  out.bytes.reserve(bytes.size());
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const bool cr_alone = bytes.find('\n') == std::string_view::npos;
  bool ended = false;
  bool in_header = true;
  bool begun = false;
  size_t headers = 0;
  size_t field_bytes = 0;
  size_t delimiters = 0;
  while (!bytes.empty()) {
    std::string_view line = TakeLine(&bytes, cr_alone, &ended);
    if (!begun) {  // blank lines and an mbox line before the header
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      if (line.starts_with("From ") || line.starts_with(">From ")) continue;
      begun = true;
      out.has_header = BeginsField(line);
    }
    if (line.starts_with("--")) {
      if (++delimiters > limits.delimiter_lines && limits.delimiter_lines > 0) {
        out.truncated = true;
        break;
      }
      in_header = true;
    } else if (in_header) {
      const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
      in_header = goes_on || BeginsField(line);
      if (in_header && !goes_on) {
        ++headers;
        field_bytes = 0;
      }
      if (in_header) {
        const size_t room = limits.field_bytes - std::min(field_bytes, limits.field_bytes);
        field_bytes += line.size();
        if (headers > limits.header_fields || line.size() > room) {
          out.truncated = true;
          if (headers > limits.header_fields || room == 0) continue;
          line = line.substr(0, room);
        }
      }
    }
    out.bytes += line;
    if (ended) out.bytes += '\n';
  }
  std::replace(out.bytes.begin(), out.bytes.end(), '\0', ' ');
  return out;
}

}  // namespace rebound
