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

// Gives `add` the pieces of the joined reply in order, views into the text but for the blanks
// between lines.
template <class Add>
void ForEachPiece(std::string_view text, Add add) {
  std::string_view code;
  std::string_view enhanced;
  bool is_first = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    std::string_view line = Trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (is_first) {
      is_first = false;
      code = ReplyCodeOf(line);
      if (!code.empty()) {
        line = BehindCode(line);
        enhanced = EnhancedCodeOf(line);
        add(code);
        if (!line.empty()) add(std::string_view(" "));
      }
      add(line);
      continue;
    }
    if (!code.empty() && ReplyCodeOf(line) == code) {
      line = BehindCode(line);
      if (!enhanced.empty() && EnhancedCodeOf(line) == enhanced) {
        line = Trim(line.substr(enhanced.size()));
      }
    }
    if (line.empty()) continue;
    add(std::string_view(" "));
    add(line);
  }
}

}  // namespace

std::string JoinReply(std::string_view text) {
  if (!HasSeveralLines(text)) return std::string(text);
  std::string joined;
  joined.reserve(text.size());
  ForEachPiece(text, [&](std::string_view piece) { joined.append(piece); });
  return joined;
}

JoinedReply JoinReplyWithPlaces(std::string_view text) {
  JoinedReply joined;
  const auto add = [&](std::string_view piece) {
    const bool is_of_text = piece.data() >= text.data() && piece.data() < text.data() + text.size();
    const size_t place = is_of_text              ? static_cast<size_t>(piece.data() - text.data())
                         : joined.places.empty() ? 0
                                                 : joined.places.back() + 1;
    for (size_t i = 0; i < piece.size(); ++i) joined.places.push_back(place + i);
    joined.text.append(piece);
  };
  if (HasSeveralLines(text)) {
    ForEachPiece(text, add);
  } else {
    add(text);
  }
  joined.places.push_back(text.size());
  return joined;
}

}  // namespace rebound
