#include "tokenizer/recognise.h"

#include <algorithm>
#include <array>

#include "tokenizer/characters.h"
#include "tokenizer/known_names.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// The value of one to `most` digits at the start of `*text`, which it takes off; -1 where there are
// none or more.
int TakeNumber(std::string_view* text, size_t most) {
  size_t n = 0;
  int value = 0;
  while (n < text->size() && IsDigit((*text)[n])) {
    if (n == most) return -1;
    value = value * 10 + ((*text)[n] - '0');
    ++n;
  }
  text->remove_prefix(n);
  return n == 0 ? -1 : value;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// What an id's or word's letters and digits look like; underscores do not count.
struct Shape {
  size_t digits = 0;
  size_t letters = 0;
  size_t changes = 0;  // from letter to digit or back
  bool starts_with_letter = false;
  bool hex = true;

  size_t size() const { return digits + letters; }
};

Shape ShapeOf(std::string_view word) {
  Shape shape;
  bool last_is_digit = false;
  for (const char c : word) {
    if (c == '_') continue;
    const bool digit = IsDigit(c);
    if (shape.size() == 0) {
      shape.starts_with_letter = !digit;
    } else if (digit != last_is_digit) {
      ++shape.changes;
    }
    last_is_digit = digit;
    ++(digit ? shape.digits : shape.letters);
    shape.hex = shape.hex && IsHex(c);
  }
  return shape;
}

bool IsIdShape(const Shape& s) {
  if (s.letters == 0 || s.digits == 0 || s.size() < 6) return false;
  if (s.hex && s.digits >= 2 && s.size() >= 8) return true;
  if (s.changes == 1 && s.starts_with_letter) return s.digits > 4;
  if (s.changes == 1) return s.digits > 2;                      // but 8bitmime, 10thmail
  if (s.digits == 1 && s.letters >= 4) return false;            // smtp2go, oauth2x
  return !(s.changes == 2 && s.digits == 2 && s.letters >= 8);  // base64encoded
}

// OFR_506, LPN105_404: every group between underscores is letters, then at most four digits.
bool IsCodeGroups(std::string_view word) {
  size_t letters = 0;
  size_t digits = 0;
  for (const char c : word) {
    if (c == '_') {
      letters = digits = 0;
    } else if (IsDigit(c)) {
      if (++digits > 4) return false;
    } else {
      if (digits > 0 || ++letters > 12) return false;
    }
  }
  return true;
}

bool IsOneOf(std::string_view word, const std::string_view* begin, const std::string_view* end) {
  return std::any_of(begin, end, [&](std::string_view known) { return EqualsLower(word, known); });
}

bool IsSizeUnit(std::string_view word) {
  constexpr std::string_view kUnits[] = {"b",   "k",   "kb",  "mb",    "gb",   "tb",
                                         "kib", "mib", "gib", "bytes", "byte", "kbytes"};
  return word.size() <= 6 && IsOneOf(word, std::begin(kUnits), std::end(kUnits));
}

bool IsShortTimeUnit(std::string_view word) {
  constexpr std::string_view kUnits[] = {"s",  "sec", "secs", "m", "min",  "mins", "h",
                                         "hr", "hrs", "d",    "w", "days", "ms",   "seconds"};
  return word.size() <= 7 && IsOneOf(word, std::begin(kUnits), std::end(kUnits));
}

// 300s, 1h30m.
bool IsShortDuration(std::string_view word) {
  if (word.size() > 16) return false;
  while (!word.empty()) {
    if (TakeNumber(&word, 6) < 0) return false;
    size_t n = 0;
    while (n < word.size() && IsLetter(word[n])) ++n;
    if (!IsShortTimeUnit(word.substr(0, n))) return false;
    word.remove_prefix(n);
  }
  return true;
}

bool IsClock(std::string_view* text) {
  const int hour = TakeNumber(text, 2);
  if (hour < 0 || hour > 24 || !Take(text, ':')) return false;
  if (text->size() < 2 || !IsDigit((*text)[0]) || !IsDigit((*text)[1])) return false;
  if (TakeNumber(text, 2) > 59) return false;
  if (text->size() > 2 && (*text)[0] == ':' && IsDigit((*text)[1])) {
    text->remove_prefix(1);
    const int second = TakeNumber(text, 2);
    if (second < 0 || second > 60) return false;
    if (text->size() > 1 && ((*text)[0] == '.') && IsDigit((*text)[1])) {
      text->remove_prefix(1);
      if (TakeNumber(text, 9) < 0) return false;
    }
  }
  return true;
}

}  // namespace

MaskToken FindMaskToken(std::string_view word) {
  if (word.size() < 6 || word[0] != '_' || word[1] != '_') return MaskToken::kNone;
  for (size_t i = 0; i < std::size(kMaskTokens); ++i) {
    if (word == kMaskTokens[i]) return static_cast<MaskToken>(i);
  }
  return MaskToken::kNone;
}

bool IsReplyCode(std::string_view text) {
  if (text.size() != 3 || !IsDigit(text[0]) || !IsDigit(text[1]) || !IsDigit(text[2])) return false;
  const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  return value >= 250 && value <= 599;
}

bool IsEnhancedCode(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return false;
  text.remove_prefix(1);
  return Take(&text, '.') && TakeNumber(&text, 3) >= 0 && Take(&text, '.') &&
         TakeNumber(&text, 3) >= 0 && text.empty();
}

bool IsProviderCode(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsUpper(text[n])) ++n;
  if (n < 2 || n > 5 || n == text.size() || (text[n] != '-' && text[n] != '#')) return false;
  text.remove_prefix(n + 1);
  return text.size() >= 2 && TakeNumber(&text, 4) >= 0 && text.empty();
}

bool IsIpv4(std::string_view text) {
  if (text.size() < 7 || text.size() > 15) return false;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !Take(&text, '.')) return false;
    const int octet = TakeNumber(&text, 3);
    if (octet < 0 || octet > 255) return false;
  }
  return text.empty();
}

bool IsIpv6(std::string_view text) {
  if (text.size() > 5 && EqualsLower(text.substr(0, 5), "ipv6:")) text.remove_prefix(5);
  if (const size_t zone = text.find('%'); zone != std::string_view::npos) {
    const std::string_view name = text.substr(zone + 1);  // fe80::1%eth0
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsWordByte)) return false;
    text = text.substr(0, zone);
  }
  if (text.size() < 3 || text.size() > 45) return false;
  size_t groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  } else if (text.front() == ':') {
    return false;
  }
  bool needs_group = !gap;
  while (!text.empty()) {
    size_t n = 0;
    while (n < text.size() && IsHex(text[n])) ++n;
    if (n < text.size() && text[n] == '.') {
      groups += 2;
      return IsIpv4(text) && (gap ? groups < 8 : groups == 8);
    }
    if (n == 0 || n > 4) return false;
    ++groups;
    text.remove_prefix(n);
    needs_group = false;
    if (text.empty()) break;
    if (!Take(&text, ':')) return false;
    if (Take(&text, ':')) {
      if (gap) return false;
      gap = true;
    } else {
      needs_group = true;
    }
  }
  return !needs_group && groups > 0 && (gap ? groups < 8 : groups == 8);
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

bool IsHost(std::string_view text) {
  const size_t last_dot = text.rfind('.');
  if (last_dot == std::string_view::npos || text.size() > 253) return false;
  if (!IsTopLevelDomain(text.substr(last_dot + 1))) return false;
  bool label = false;
  for (const char c : text) {
    if (c == '.') {
      if (!label) return false;
      label = false;
    } else if (IsWordByte(c) || c == '-') {
      label = true;
    } else {
      return false;
    }
  }
  return label;
}

bool IsJoinedId(std::string_view text) {
  bool has_id = false;
  for (size_t start = 0; start <= text.size();) {
    size_t end = start;
    while (end < text.size() && IsWordByte(text[end])) {
      if (IsHigh(text[end])) return false;
      ++end;
    }
    const std::string_view word = text.substr(start, end - start);
    const Shape shape = ShapeOf(word);
    if (IsIdShape(shape) && !IsCodeGroups(word)) {
      has_id = true;
    } else if (shape.digits == 0 && word.size() > 3) {
      return false;
    }
    start = end + 1;
  }
  if (has_id) return true;
  // Exim's queue ids.
  const size_t n = text.size();
  if ((n == 16 && text[6] == '-' && text[13] == '-') ||
      (n == 23 && text[6] == '-' && text[18] == '-')) {
    const bool plain = std::count_if(text.begin(), text.end(), [](char c) {
                         return IsDigit(c) || IsLetter(c);
                       }) == static_cast<std::ptrdiff_t>(n - 2);
    return plain && IsDigit(text[0]) && IsDigit(text[7]);
  }
  return false;
}

bool IsTime(std::string_view text) { return IsClock(&text) && text.empty(); }

bool IsDate(std::string_view text) {
  if (text.size() < 8 || text.size() > 40 || !IsDigit(text[0])) return false;
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  const bool year_first = digits == 4;
  if (!year_first && digits > 2) return false;
  const int first = TakeNumber(&text, 4);
  if (text.empty()) return false;
  if (!year_first && (first < 1 || first > 31)) return false;
  const char joint = text[0];
  if (joint != '-' && joint != '/' && joint != '.') return false;
  text.remove_prefix(1);
  size_t letters = 0;
  while (letters < text.size() && IsLetter(text[letters])) ++letters;
  if (letters > 0) {
    if (!IsMonthOrWeekday(text.substr(0, letters))) return false;
    text.remove_prefix(letters);
  } else {
    const int second = TakeNumber(&text, 2);  // the month, or the day where the month stood first
    if (second < 1 || second > 31 || (second > 12 && (year_first || first > 12))) return false;
  }
  if (!Take(&text, joint)) return false;
  const size_t rest = text.size();
  const int last = TakeNumber(&text, 4);
  const size_t taken = rest - text.size();
  if (last < 0 || (year_first ? taken > 2 : (taken != 4 && taken != 2))) return false;
  if (text.empty()) return true;
  if (text[0] != 'T' && text[0] != 't' && text[0] != ':' && text[0] != '-') return false;
  text.remove_prefix(1);
  if (!IsClock(&text)) return false;
  if (text.empty() || text == "Z" || text == "z") return true;
  return (text[0] == '+' || text[0] == '-') && text.size() <= 6 &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return IsDigit(c) || c == ':'; });
}

WordKind ClassifyWord(std::string_view word) {
  const Shape shape = ShapeOf(word);
  if (shape.letters == 0) {
    if (word.size() != shape.digits) {  // 5_7_1
      return shape.digits <= 7 && IsDigit(word[0]) && word[1] == '_' ? WordKind::kWord
                                                                     : WordKind::kNumber;
    }
    return IsReplyCode(word) ? WordKind::kReply : WordKind::kNumber;
  }
  if (!shape.starts_with_letter && word.size() == shape.size() && shape.changes % 2 == 1) {
    if (IsShortDuration(word)) return WordKind::kDuration;
    if (shape.changes == 1 && IsSizeUnit(word.substr(shape.digits))) return WordKind::kSize;
  }
  if (IsIdShape(shape) && !IsCodeGroups(word)) return WordKind::kId;
  if (shape.hex && shape.digits >= 2 && shape.size() >= 8) return WordKind::kId;
  return WordKind::kWord;
}

std::string_view SizeUnit(std::string_view word) {
  while (IsDigit(word.front())) word.remove_prefix(1);
  return word;
}

}  // namespace rebound
