#include "engine/joined_reply.h"

#include <algorithm>

#include "base/text.h"

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "550" where the line begins with a reply code; else empty.
std::string_view ReplyCodeOf(std::string_view line) {
  constexpr size_t kDigits = 3;
  if (line.size() < kDigits || line[0] < '2' || line[0] > '5') return {};
  if (!IsDigit(line[1]) || !IsDigit(line[2])) return {};
  if (line.size() > kDigits && line[kDigits] != '-' && line[kDigits] != ' ') return {};
  return line.substr(0, kDigits);
}

// "5.7.1" where the line begins with an enhanced code; else empty.
std::string_view EnhancedCodeOf(std::string_view line) {
  size_t end = 0;
  int dots = 0;
  while (end < line.size() && (IsDigit(line[end]) || line[end] == '.')) {
    dots += line[end] == '.';
    ++end;
  }
  const bool is_whole = end == line.size() || line[end] == ' ';
  return dots == 2 && is_whole ? line.substr(0, end) : std::string_view();
}

// The line behind its reply code and what parts it from the text.
std::string_view BehindCode(std::string_view line) {
  line.remove_prefix(std::min<size_t>(line.size(), 4));
  return Trim(line);
}

}  // namespace

std::string JoinReply(std::string_view text) {
  if (!HasSeveralLines(text)) return std::string(text);
  std::string joined;
  joined.reserve(text.size());
  std::string_view code;
  std::string_view enhanced;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    std::string_view line = Trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (joined.empty()) {
      code = ReplyCodeOf(line);
      if (!code.empty()) {
        line = BehindCode(line);
        enhanced = EnhancedCodeOf(line);
        joined.append(code).append(line.empty() ? "" : " ").append(line);
        continue;
      }
    } else if (!code.empty() && ReplyCodeOf(line) == code) {
      line = BehindCode(line);
      if (!enhanced.empty() && EnhancedCodeOf(line) == enhanced) {
        line = Trim(line.substr(enhanced.size()));
      }
    }
    if (line.empty()) continue;
    joined.append(joined.empty() ? "" : " ").append(line);
  }
  return joined;
}

}  // namespace rebound
