// What the numbers alone say: the reply code and the enhanced status code of a text, and the labels
// they stand for (RFC 5321, RFC 3463, RFC 7372, RFC 7505 and the IANA registry). The words of a
// text beat its numbers, so this is asked only where a model is not sure. Pure, Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/task.h"

namespace rebound {

// Views into the text they were found in; empty where there is none.
struct StatusCodes {
  std::string_view reply;     // "550": never part of an IPv4 address or a longer number
  std::string_view enhanced;  // "5.7.1": never part of an IPv4 address
  size_t letters = 0;         // of the text, in any script
};
StatusCodes FindStatusCodes(std::string_view text);

// One row of the table behind LabelOfStatusCodes.
struct StatusCodeMeaning {
  std::string code;  // "5.2.1", "x.1.1" for 4 and 5 alike, or a reply code "552"
  std::array<std::string_view, kTaskCount> labels;  // by task
  std::string_view source;  // the RFC and its section, or the registry, that defines the code
};
// The whole table: enhanced codes, then reply codes.
std::vector<StatusCodeMeaning> StatusCodeMeanings();

// A reply code alone stands for too much to speak beside words: it decides only in a text with
// fewer letters than this.
inline constexpr size_t kLettersOfWords = 20;

// Position in TaskLabels(task), or nullopt where the codes fix nothing.
std::optional<size_t> LabelOfStatusCodes(Task task, const StatusCodes& codes);

}  // namespace rebound
