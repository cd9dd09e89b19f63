// Two halves of a labelled file with nothing of one in the other: texts are grouped by GroupAlike
// of their SplitWords. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/near_copies.h"

namespace rebound {

// The distinct words of a normalised text, sorted: without mask tokens, without codes and numbers
// unless there is nothing else; letters of scripts that write no spaces each are a word.
std::vector<std::string> SplitWords(std::string_view normalised);

// For each text whether it is of the first half. `groups`: GroupAlike(words). Whole groups go to a
// side, in an order that depends on their words alone, always to the side that has fewer texts.
std::vector<bool> FirstHalf(const std::vector<std::vector<std::string>>& words,
                            const std::vector<size_t>& groups);

}  // namespace rebound
