// Two halves of a labelled file with nothing of one in the other. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// The distinct words of a normalised text, sorted: without mask tokens, without codes and numbers
// unless there is nothing else; letters of scripts that write no spaces each are a word.
std::vector<std::string> SplitWords(std::string_view normalised);

// Texts that share this part of all their words are of one group, and so are those that a chain of
// such texts joins.
inline constexpr double kAlike = 0.6;

// For each text the position of its group's first text. `words`: one SplitWords a text.
std::vector<size_t> GroupAlike(const std::vector<std::vector<std::string>>& words);

// For each text whether it is of the first half. Whole groups go to a side, in an order that
// depends on their words alone, always to the side that has fewer texts.
std::vector<bool> FirstHalf(const std::vector<std::vector<std::string>>& words,
                            const std::vector<size_t>& groups);

}  // namespace rebound
