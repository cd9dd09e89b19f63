// A person's name between other words: where it starts and ends.
//
// A name is made of capitalised words (in scripts without capitals, of any words) that servers do
// not know; given names, initials, titles and particles ("van") belong to it, and so does a word
// that servers rarely use behind one ("Mark Young"). Words that servers know stay outside:
// "Recipient Jane Roe" has the name "Jane Roe", "User Unknown" has none. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace rebound {

struct NamePhrase {
  size_t begin = 0, end = 0;  // empty where there is none
  size_t words = 0;           // without initials, titles and particles
  bool has_given_name = false;
  bool is_caseless = false;  // has words of a script without capitals, which tell less
  bool empty() const { return begin == end; }
};

// The name in the words that end at `end` of `text`, blanks between them; words that servers know
// may follow it. A run of more words than a name has is prose and has none.
NamePhrase FindNameBefore(std::string_view text, size_t end);

// The name that starts at `begin`. `is_addressed` ("Dear ...") takes a single word that servers
// use as well, where it is a given name.
NamePhrase FindNameAhead(std::string_view text, size_t begin, bool is_addressed);

}  // namespace rebound
