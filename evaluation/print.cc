#include "evaluation/print.h"

#include <cstdarg>
#include <cstdio>

namespace rebound {

void Print(std::string* out, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (length > 0) {
    const size_t before = out->size();
    out->resize(before + static_cast<size_t>(length) + 1);
    std::vsnprintf(out->data() + before, static_cast<size_t>(length) + 1, format, again);
    out->pop_back();  // the terminating zero
  }
  va_end(again);
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters but line breaks and tabs are no characters of HTML.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

}  // namespace rebound
