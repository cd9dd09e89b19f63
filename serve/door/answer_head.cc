#include "serve/door/answer_head.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>

namespace rebound {
namespace {

// RFC 9110's date of this second.
std::string_view HttpDate() {
  thread_local std::time_t shown = 0;
  thread_local char text[40];
  thread_local size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != shown) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    shown = now;
  }
  return {text, length};
}

// A line break in a field would begin another one.
bool IsOneLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void AppendNumber(size_t number, std::string* out) {
  char digits[24];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out->append(digits, static_cast<size_t>(end - digits));
}

}  // namespace

bool HasBody(const Response& response) { return response.status != 204 && response.status != 304; }

void AppendAnswerHead(const Response& response, bool close, bool http10, std::string* out) {
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<size_t>(response.status), out);
  out->append(" ");
  out->append(ReasonPhrase(response.status));
  out->append("\r\nDate: ").append(HttpDate());
  if (!response.content_type.empty()) {
    out->append("\r\nContent-Type: ").append(response.content_type);
  }
  if (HasBody(response)) {
    out->append("\r\nContent-Length: ");
    AppendNumber(response.body.size(), out);
  }
  for (const auto& [name, value] : response.headers) {
    if (IsOneLine(name) && IsOneLine(value)) {
      out->append("\r\n").append(name).append(": ").append(value);
    }
  }
  if (close) {
    out->append("\r\nConnection: close");
  } else if (http10) {
    out->append("\r\nConnection: keep-alive");
  }
  out->append("\r\n\r\n");
}

}  // namespace rebound
