// UTF-8 and plain-text helpers. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// One code point and the bytes it took; an invalid byte decodes as U+FFFD of one byte (surrogates,
// overlong forms and values above U+10FFFF are invalid). REQUIRES: !text.empty().
struct CodePoint {
  char32_t value;
  size_t bytes;
  bool valid;
};
CodePoint DecodeUtf8(std::string_view text);
void AppendUtf8(char32_t code_point, std::string* out);

bool IsValidUtf8(std::string_view text);

// The text with every invalid byte replaced by U+FFFD, so that it is valid UTF-8. Valid text comes
// back as it is.
std::string RepairUtf8(std::string_view text);

// The longest prefix of at most `max_bytes` that ends on a code point border. REQUIRES: valid
// UTF-8.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

// Lower case by Unicode's simple mapping (utf8proc).
char32_t LowerCase(char32_t code_point);

// Every character by LowerCase.
std::string LowerUtf8(std::string_view text);

// Without leading and trailing Unicode white space and control characters.
std::string_view Trim(std::string_view text);

std::string AsciiLower(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char separator);

}  // namespace rebound
