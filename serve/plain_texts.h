// Reads the two bodies that nearly every client sends, `{"message":"…"}` and
// `{"messages":["…",…]}`, in one pass and without a document: a fifth of what the JSON library
// takes. Pure, Thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

namespace rebound {

struct PlainTexts {
  bool single = false;                  // `message`
  std::vector<std::string_view> texts;  // valid UTF-8; views into the body or into `unescaped`
  std::unique_ptr<char[]> unescaped;
};

// False, with `*read` unspecified, for every other body, good or bad, and for the rare things in a
// string (bytes that are no UTF-8, `\u` escapes of surrogates): the JSON library knows them. Where
// it is true, that library would have read the same.
bool ReadPlainTexts(std::string_view body, PlainTexts* read);

}  // namespace rebound
