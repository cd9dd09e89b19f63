#include "tokenizer/characters.h"

#include <utf8proc.h>

#include "base/text.h"

namespace rebound {
namespace {

constexpr std::array<CharClass, 256> MakeClasses() {
  std::array<CharClass, 256> classes{};
  for (size_t c = 0; c < 256; ++c) {
    if (c >= 0x80) {
      classes[c] = CharClass::kHigh;
    } else if (c <= ' ' || c == 0x7f) {
      classes[c] = CharClass::kBlank;
    } else if (c >= '0' && c <= '9') {
      classes[c] = CharClass::kDigit;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      classes[c] = CharClass::kLetter;
    } else if (c == '_') {
      classes[c] = CharClass::kUnderscore;
    } else {
      classes[c] = CharClass::kSeparator;
    }
  }
  for (const char c : std::string_view(".-+@:=/'~%&#?!*$^")) {
    classes[static_cast<size_t>(c)] = CharClass::kPunct;
  }
  return classes;
}

bool IsUnspacedScript(char32_t c) {
  return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) ||
         (c >= 0x1100 && c <= 0x11ff) || (c >= 0x1780 && c <= 0x17ff) ||
         (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7ff) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xffdc) ||
         (c >= 0x20000 && c <= 0x3ffff);
}

}  // namespace

const std::array<CharClass, 256> kCharClasses = MakeClasses();

HighChar ClassifyHigh(std::string_view text) {
  const CodePoint c = DecodeUtf8(text);
  if (!c.valid) return {HighKind::kInvalid, 1};
  if (c.value == 0x2019) return {HighKind::kApostrophe, c.bytes};
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c.value))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return {IsUnspacedScript(c.value) ? HighKind::kUnspaced : HighKind::kSpaced, c.bytes};
    default:
      return {HighKind::kSeparator, c.bytes};
  }
}

bool EqualsLower(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != b[i]) return false;
  }
  return true;
}

}  // namespace rebound
