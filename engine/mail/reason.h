// How much a line of a bounce looks like the reason of a failure, and the reason as a text to
// classify. Pure, linear, Thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rebound {

// 0: nothing of a reason in it; from kLikelyReason on words of failure, from kSureReason on a code.
int ScoreOfReason(std::string_view line);

// Lines as one text: marks of quoting and of the family gone ("<<< ", "(reason: ", "#", "Remote
// host said: "), a reply of several lines kept as lines, the others joined by a blank.
std::string JoinReason(std::span<const std::string_view> lines);

// Whether `line` ends or goes on the reply that `before` began: "554-mx.example.net", "554 no".
bool GoesOnReply(std::string_view before, std::string_view line);

// "mx.example.net" of "host mx.example.net[192.0.2.7] said:", "while talking to mx.example.net.:".
std::string FindRemoteHost(std::string_view text);

// Whether the lower-case text says that delivery goes on being tried.
bool TellsDelay(std::string_view lower);

}  // namespace rebound
