// Which words servers use, and which people are called by: what tells "Recipient <...>" from
// "Jane <...>".
//
// The words are those of the seed corpus that stand in two templates or more (of scripts without
// blanks, pairs of characters), kept in server_words.txt, which `rebound-labels corpus --words`
// prints. Given names are those of given_names.txt. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "labelstore/seed_corpus.h"

namespace rebound {

enum class Familiarity { kUnknown, kRare, kCommon };

// How well servers know one word of any case: letters alone, as ForEachWord gives them.
Familiarity FamiliarityOf(std::string_view word);

// Whether people are called so: kToo where the name is a word as well ("Mark", "Will").
enum class GivenName { kNone, kToo, kOnly };
GivenName GivenNameOf(std::string_view word);

// A run of letters of one kind of script.
struct TextWord {
  size_t begin, end;
  bool is_unspaced;  // of a script without blanks between words
};
void ForEachWord(std::string_view text, const std::function<void(TextWord)>& word);

// The first letter (or mark) of `text`: 0 bytes where it is none.
struct Letter {
  size_t bytes = 0;
  bool is_upper = false;
  bool is_caseless = false;  // of a script without capitals
  bool is_unspaced = false;
};
Letter FirstLetter(std::string_view text);

// Whether servers know every word in it; of scripts without blanks, most pairs of characters. True
// where there is no word.
bool AreServerWords(std::string_view text);

// What server_words.txt holds: the common words, a blank line, the others.
std::string WriteServerWords(const std::vector<Template>& templates);

}  // namespace rebound
