// What a character is to the scanner. Pure, Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rebound {

enum class CharClass : uint8_t {
  kBlank,      // white space and control characters
  kSeparator,  // ends a run: brackets, quotes, comma, semicolon, bar, backslash
  kPunct,      // may stand inside a run: . - + @ : = / # and their like
  kLetter,
  kDigit,
  kUnderscore,  // a word character, as in OFR_506
  kHigh,        // first byte beyond ASCII: see ClassifyHigh
};

extern const std::array<CharClass, 256> kCharClasses;
inline CharClass ClassOf(char c) { return kCharClasses[static_cast<unsigned char>(c)]; }

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool IsLetter(char c) { return ClassOf(c) == CharClass::kLetter; }
inline bool IsHigh(char c) { return (c & 0x80) != 0; }
inline bool IsBlank(char c) { return ClassOf(c) == CharClass::kBlank; }
inline bool IsPunct(char c) { return ClassOf(c) == CharClass::kPunct; }
inline bool IsWordByte(char c) {
  const CharClass k = ClassOf(c);
  return k == CharClass::kLetter || k == CharClass::kDigit || k == CharClass::kUnderscore ||
         k == CharClass::kHigh;
}
inline bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
inline char Lower(char c) { return IsUpper(c) ? static_cast<char>(c + 32) : c; }

// Beyond ASCII.
enum class HighKind : uint8_t {
  kInvalid,     // no UTF-8: one byte
  kSeparator,   // punctuation, symbols, blanks
  kApostrophe,  // U+2019, which prints an apostrophe inside words
  kSpaced,      // a letter or digit of a script that puts blanks between words
  kUnspaced,  // of a script that does not (Han, kana, Hangul, Thai ...): never part of a host name
};
struct HighChar {
  HighKind kind;
  size_t bytes;
};
// REQUIRES: !text.empty() and its first byte is beyond ASCII.
HighChar ClassifyHigh(std::string_view text);

// a == b, where b is lower-case ASCII.
bool EqualsLower(std::string_view a, std::string_view b);

}  // namespace rebound
