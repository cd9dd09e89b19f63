// The time after which a text asks to be tried again.
//
// A text may hold many times: how long it was in a queue, the hour that a quota counts, an
// expired session. One is a waiting time only where the nearest words of its sentence say so; what
// they are in 30 languages stands in retry_words.cc. docs/facts.md tells what is taken and what is
// not. Linear in the text, no allocation. Pure, Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rebound {

inline constexpr std::chrono::seconds kShortestRetry{1};
inline constexpr std::chrono::seconds kLongestRetry{86400};

// From kShortestRetry to kLongestRetry; nullopt where the text asks for no time, or for one beyond
// these. Where it names several, one that is asked for ("try again in") comes before one that is
// told ("blocked for"), then the first. Of "5 to 10 minutes" it is 10.
std::optional<std::chrono::seconds> FindRetryAfter(std::string_view text);

}  // namespace rebound
