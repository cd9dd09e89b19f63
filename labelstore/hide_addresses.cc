#include "labelstore/hide_addresses.h"

#include "labelstore/text_cuts.h"
#include "tokenizer/characters.h"
#include "tokenizer/known_names.h"

namespace rebound {
namespace {

constexpr std::string_view kEmail = "__email__";
constexpr size_t kLongestName = 80;
constexpr size_t kLongestHalf = 128;  // of an address that is looked at, so that time stays linear

// What ends a half of an address on either side.
bool EndsAddress(char c) {
  return IsBlank(c) || std::string_view("<>()[]{},;:\"'|=").find(c) != std::string_view::npos;
}

// The bytes of an at sign in any spelling, or 0.
size_t MatchAt(std::string_view rest) {
  if (IsLetter(rest[0]) || IsDigit(rest[0])) return 0;
  for (const std::string_view at :
       {"@",      "\xef\xbc\xa0", "\xef\xb9\xab", "[at]", "(at)",  "{at}",   "<at>",
        " [at] ", " (at) ",       " {at} ",       "_at_", "&#64;", "&#x40;", "&commat;",
        "%40",    "=40",          " @ ",          " at ", "[@]",   "(@)"}) {
    if (rest.size() >= at.size() && EqualsLower(rest.substr(0, at.size()), at)) return at.size();
  }
  return 0;
}

size_t MatchDot(std::string_view rest) {
  if (rest.empty() || IsLetter(rest[0]) || IsDigit(rest[0])) return 0;
  for (const std::string_view dot : {"[dot]", "(dot)", "{dot}", " [dot] ", " (dot) ", " {dot} ",
                                     " dot ", "_dot_", "[.]", "(.)", "&#46;", "\xef\xbc\x8e"}) {
    if (rest.size() >= dot.size() && EqualsLower(rest.substr(0, dot.size()), dot))
      return dot.size();
  }
  return 0;
}

bool MatchDotIn(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (MatchDot(text.substr(i)) > 0) return true;
  }
  return false;
}

bool IsUnspaced(std::string_view rest) {
  return !rest.empty() && IsHigh(rest[0]) && ClassifyHigh(rest).kind == HighKind::kUnspaced;
}

// What ends a half of an address on either side, of any script; not what hides a part of it.
bool EndsHalf(std::string_view rest) {
  if (!IsHigh(rest[0])) return EndsAddress(rest[0]);
  return ClassifyHigh(rest).kind == HighKind::kSeparator && !rest.starts_with("\xe2\x80\xa6") &&
         !rest.starts_with("\xe2\x80\xa2");
}

size_t StartOfLast(std::string_view before) {
  size_t at = before.size();
  while (at > 0 && (before[at - 1] & 0xc0) == 0x80) --at;
  return at > 0 ? at - 1 : 0;
}

// Where the local part before `at` starts; `at` itself where there is none.
size_t LocalStart(std::string_view text, size_t at, bool* odd) {
  if (at > 0 && text[at - 1] == '"') {
    const size_t from = at > kLongestName ? at - kLongestName : 0;
    const size_t inside = text.substr(from, at - 1 - from).rfind('"');
    if (inside == std::string_view::npos) return at;
    const size_t open = from + inside;
    if (text.substr(open, at - open).find('\n') != std::string_view::npos) return at;
    *odd = true;
    return open;
  }
  size_t start = at;
  while (start > 0 && at - start < kLongestHalf) {
    const size_t before = StartOfLast(text.substr(0, start));
    if (EndsHalf(text.substr(before))) break;
    start = before;
  }
  *odd = *odd || (start < at && IsUnspaced(text.substr(StartOfLast(text.substr(0, at)))));
  return start;
}

// Whether `rest` starts with the last label of a domain.
bool IsDomainEnd(std::string_view rest) {
  size_t end = 0;
  while (end < rest.size() && IsLetter(rest[end])) ++end;
  return IsTopLevelDomain(rest.substr(0, end));
}

// Whether half of an address was hidden: j***e, ja..., j\u2026e.
bool IsHalfHidden(std::string_view part) {
  return part.find('*') != std::string_view::npos || part.find("..") != std::string_view::npos ||
         part.find("\xe2\x80\xa6") != std::string_view::npos ||
         part.find("\xe2\x80\xa2") != std::string_view::npos;
}

// Whether an at sign that may be a word of prose (" at ", "_at_") has an address around it: what
// follows is a domain whose dots are spelt or stand there.
bool IsWeakAddress(std::string_view sign, std::string_view local, std::string_view domain) {
  if (local.find("__") != std::string_view::npos) return false;
  if (domain.find(" . ") != std::string_view::npos || MatchDotIn(domain)) return true;
  if (sign == " at ") return false;  // the server at mx.example.org
  const size_t dot = domain.rfind('.');
  return dot != std::string_view::npos && dot > 0 && IsTopLevelDomain(domain.substr(dot + 1));
}

// Where the domain from `begin` ends.
size_t DomainEnd(std::string_view text, size_t begin, bool* odd) {
  const bool unspaced = IsUnspaced(text.substr(begin));
  *odd = *odd || unspaced;
  size_t end = begin;
  while (end < text.size() && (end - begin < kLongestHalf || (text[end] & 0xc0) == 0x80)) {
    if (const size_t dot = MatchDot(text.substr(end)); dot > 0) {
      end += dot;
      *odd = true;
    } else if (text[end] == ' ' && end + 2 < text.size() && text[end + 1] == '.' &&
               IsLetter(text[end + 2]) && end > begin) {
      end += 2;  // jane@example .com
      *odd = true;
    } else if (text.substr(end).starts_with(" . ") && IsDomainEnd(text.substr(end + 3))) {
      end += 3;  // jane@example . com
      *odd = true;
    } else if (EndsHalf(text.substr(end)) || (!unspaced && IsUnspaced(text.substr(end)))) {
      break;
    } else {
      ++end;
    }
  }
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  return end;
}

}  // namespace

std::string HideOddAddresses(std::string_view text) {
  TextCuts cuts(text);
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t at = MatchAt(text.substr(i));
    if (at == 0) continue;
    const std::string_view sign = text.substr(i, at);
    // Words of prose, and what may part anything.
    const bool weak = IsBlank(sign[0]) || sign[0] == '_' || sign == "=40" || sign == "%40";
    bool odd = at > 1;
    size_t begin = i + at;
    if (at == 1 && begin + 1 < text.size() && text[begin] == ' ' && IsLetter(text[begin + 1])) {
      ++begin;  // jane@ example .com: odd where the domain is
    }
    const size_t start = LocalStart(text, i, &odd);
    const size_t end = DomainEnd(text, begin, &odd);
    if (start >= i || start < cuts.done() || end == begin) continue;
    const std::string_view local = text.substr(start, i - start);
    const std::string_view domain = text.substr(begin, end - begin);
    if (!weak && (IsHalfHidden(local) || IsHalfHidden(domain))) odd = true;
    if (!odd || (weak && !IsWeakAddress(sign, local, domain))) continue;
    cuts.Replace(start, end, kEmail);
    i = end - 1;
  }
  return cuts.Finish();
}

}  // namespace rebound
