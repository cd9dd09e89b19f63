// A reply of several lines as the one text that it is. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// "550-5.7.1 first\r\n550 5.7.1 second" is "550 5.7.1 first second": lines are parted by one blank,
// and those behind the first lose the reply code and the enhanced code that they repeat. A text of
// one line is itself. Linear.
std::string JoinReply(std::string_view text);

// The same with the place of each byte in the text, and behind them the text's end. The blank
// between two lines has the place of the line break.
struct JoinedReply {
  std::string text;
  std::vector<size_t> places;  // [text.size() + 1]
};
JoinedReply JoinReplyWithPlaces(std::string_view text);

inline bool HasSeveralLines(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

}  // namespace rebound
