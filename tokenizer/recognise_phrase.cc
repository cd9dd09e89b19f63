// The recognisers of several words: dates, durations, addresses of the web.
#include <algorithm>
#include <iterator>
#include <utility>

#include "tokenizer/characters.h"
#include "tokenizer/known_names.h"
#include "tokenizer/part.h"
#include "tokenizer/recognise.h"

namespace rebound {
namespace {

// Whether a phrase may end before `i`: at a blank, a separator, the end, or full stops before one
// of these or before an address of the web (which Mask parts from them by a blank).
bool EndsPhrase(std::string_view text, size_t i) {
  const size_t begin = i;
  while (i < text.size() &&
         (text[i] == '.' || text[i] == ':' || text[i] == '!' || text[i] == '?')) {
    ++i;
  }
  if (i == text.size()) return true;
  const CharClass k = ClassOf(text[i]);
  if (k == CharClass::kHigh) {
    const HighKind kind = ClassifyHigh(text.substr(i)).kind;
    return kind != HighKind::kSpaced && kind != HighKind::kApostrophe;
  }
  return k == CharClass::kBlank || k == CharClass::kSeparator ||
         (i > begin && MatchUrl(text.substr(i)) > 0);
}

size_t SkipBlanks(std::string_view text, size_t i) {
  size_t n = 0;
  while (n < 2 && i + n < text.size() && (text[i + n] == ' ' || text[i + n] == '\t')) ++n;
  return n;
}

size_t CountDigits(std::string_view text, size_t i) {
  size_t n = 0;
  while (i + n < text.size() && IsDigit(text[i + n])) ++n;
  return n;
}

size_t CountLetters(std::string_view text, size_t i) {
  size_t n = 0;
  while (i + n < text.size() && IsLetter(text[i + n])) ++n;
  return n;
}

// Full name or its first three letters.
bool IsName(std::string_view word, const std::string_view* begin, const std::string_view* end) {
  return word.size() >= 3 && std::any_of(begin, end, [&](std::string_view name) {
           return EqualsLower(word, name) || EqualsLower(word, name.substr(0, 3));
         });
}

constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
constexpr std::string_view kWeekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                          "friday", "saturday", "sunday"};

bool IsMonth(std::string_view w) { return IsName(w, std::begin(kMonths), std::end(kMonths)); }
bool IsWeekday(std::string_view w) { return IsName(w, std::begin(kWeekdays), std::end(kWeekdays)); }

bool IsZone(std::string_view word) {
  constexpr std::string_view kZones[] = {"gmt", "utc", "est", "edt", "cst", "cdt",
                                         "mst", "mdt", "pst", "pdt", "cet", "cest",
                                         "msk", "jst", "bst", "am",  "pm"};
  return word.size() <= 4 && std::any_of(std::begin(kZones), std::end(kZones),
                                         [&](std::string_view z) { return EqualsLower(word, z); });
}

// One item of a date in words, and what was seen before it.
struct DateItems {
  bool weekday = false;
  bool month = false;
  bool day = false;
  bool year = false;
  bool time = false;
  bool zone = false;

  // Takes the item of `length` bytes at `text`; false where it does not belong to a date any more.
  bool Add(std::string_view item) {
    if (IsLetter(item[0])) {
      if (IsWeekday(item)) return !month && !day && !std::exchange(weekday, true);
      if (IsMonth(item)) return (day || IsUpper(item[0])) && !year && !std::exchange(month, true);
      return time && IsZone(item) && !std::exchange(zone, true);
    }
    if (item[0] == '+' || item[0] == '-') return time && !std::exchange(zone, true);
    if (item.find(':') != std::string_view::npos) {
      return month && IsTime(item) && !std::exchange(time, true);
    }
    if (item.size() <= 2) return !year && !time && !std::exchange(day, true);
    return item.size() == 4 && month && (item.starts_with("19") || item.starts_with("20")) &&
           !std::exchange(year, true);
  }
  bool complete() const { return month && (day || year); }
};

// Length of the item at `i`: letters, or digits with colons, or a zone's sign and four digits.
size_t DateItemLength(std::string_view text, size_t i) {
  if (i >= text.size()) return 0;
  if (IsLetter(text[i])) return CountLetters(text, i);
  if (text[i] == '+' || text[i] == '-') return CountDigits(text, i + 1) == 4 ? 5 : 0;
  size_t n = CountDigits(text, i);
  while (n > 0 && i + n + 1 < text.size() && text[i + n] == ':' && IsDigit(text[i + n + 1])) {
    n += 1 + CountDigits(text, i + n + 1);
  }
  return n;
}

bool IsTimeUnit(std::string_view word) {
  constexpr std::string_view kUnits[] = {
      "second", "seconds", "sec",    "secs",     "s",         "minute",   "minutes",  "min",
      "mins",   "m",       "hour",   "hours",    "hr",        "hrs",      "h",        "day",
      "days",   "d",       "week",   "weeks",    "ms",        "sekunde",  "sekunden", "minuten",
      "stunde", "stunden", "std",    "tag",      "tage",      "tagen",    "seconde",  "secondes",
      "heure",  "heures",  "jour",   "jours",    "segundo",   "segundos", "minuto",   "minutos",
      "hora",   "horas",   "dia",    "dias",     "secondo",   "secondi",  "minuti",   "ora",
      "ore",    "giorno",  "giorni", "seconden", "minuut",    "uur",      "dag",      "dagen",
      "sekund", "minut",   "godzin", "godziny",  "dni",       "sekunder", "minuter",  "timmar",
      "timer",  "dagar",   "dager",  "sekuntia", "minuuttia", "tuntia",   "saniye",   "dakika",
      "saat"};
  constexpr std::string_view kHighUnits[] = {
      "\xd1\x81\xd0\xb5\xd0\xba",  // сек
      "\xd0\xbc\xd0\xb8\xd0\xbd",  // мин
      "\xd1\x87\xd0\xb0\xd1\x81",  // час
      "\xd0\xb4\xd0\xbd",          // дн
      "\xd1\x85\xd0\xb2",          // хв
      "d\xc3\xad"
      "as",  // días
  };
  if (word.size() <= 9 && std::any_of(std::begin(kUnits), std::end(kUnits),
                                      [&](std::string_view u) { return EqualsLower(word, u); })) {
    return true;
  }
  return word.size() <= 16 && std::any_of(std::begin(kHighUnits), std::end(kHighUnits),
                                          [&](std::string_view u) { return word.starts_with(u); });
}

// A unit of a script without blanks: bytes of it, or 0.
size_t MatchUnspacedUnit(std::string_view text) {
  constexpr std::string_view kUnits[] = {
      "\xe7\xa7\x92",              // 秒
      "\xe5\x88\x86\xe9\x92\x9f",  // 分钟
      "\xe5\x88\x86\xe9\x90\x98",  // 分鐘
      "\xe5\x88\x86",              // 分
      "\xe5\xb0\x8f\xe6\x97\xb6",  // 小时
      "\xe5\xb0\x8f\xe6\x99\x82",  // 小時
      "\xe6\x99\x82\xe9\x96\x93",  // 時間
      "\xe5\xa4\xa9",              // 天
      "\xec\xb4\x88",              // 초
      "\xeb\xb6\x84",              // 분
      "\xec\x8b\x9c\xea\xb0\x84",  // 시간
  };
  for (const std::string_view unit : kUnits) {
    if (text.starts_with(unit)) return unit.size();
  }
  return 0;
}

// A path segment that names a page rather than a thing of somebody's.
bool IsPageWord(std::string_view word) {
  if (word.size() < 6 || word.size() > 40) return false;
  if (!std::all_of(word.begin(), word.end(), IsLetter)) return false;
  constexpr std::string_view kEmpty[] = {"answer",  "support",    "lookup", "lookups",
                                         "default", "postmaster", "service"};
  return !IsMonthOrWeekday(word) &&
         std::none_of(std::begin(kEmpty), std::end(kEmpty),
                      [&](std::string_view e) { return EqualsLower(word, e); });
}

}  // namespace

bool IsMonthOrWeekday(std::string_view word) { return IsMonth(word) || IsWeekday(word); }

size_t MatchDate(std::string_view text) {
  DateItems items;
  size_t end = 0;
  for (size_t i = 0;;) {
    const size_t n = DateItemLength(text, i);
    if (n == 0) break;
    // An item ends a phrase, or a comma or blanks lead to the next one.
    const bool ends = EndsPhrase(text, i + n);
    if (!ends || !items.Add(text.substr(i, n))) break;
    i += n;
    if (items.complete()) end = i;
    if (i < text.size() && text[i] == ',') ++i;
    const size_t blanks = SkipBlanks(text, i);
    if (blanks == 0) break;
    i += blanks;
  }
  return end;
}

size_t MatchDuration(std::string_view text) {
  const size_t digits = CountDigits(text, 0);
  if (digits == 0 || digits > 6) return 0;
  size_t i = digits;
  if (i < text.size() && text[i] == '-' && digits < 3) {  // but 550-second line
    ++i;
  } else {
    i += SkipBlanks(text, i);
  }
  if (i == text.size()) return 0;
  if (const size_t unit = MatchUnspacedUnit(text.substr(i)); unit > 0) return i + unit;
  size_t end = i;
  while (end < text.size() && end - i <= 16) {
    if (IsLetter(text[end])) {
      ++end;
    } else if (IsHigh(text[end])) {
      const HighChar c = ClassifyHigh(text.substr(end));
      if (c.kind != HighKind::kSpaced) break;
      end += c.bytes;
    } else {
      break;
    }
  }
  if (end == i || !IsTimeUnit(text.substr(i, end - i)) || !EndsPhrase(text, end)) return 0;
  return end;
}

size_t MatchHiddenAddress(std::string_view text) {
  if (text.size() < 17 || text[0] != '[' || !EqualsLower(text.substr(1, 5), "email")) return 0;
  for (const std::string_view gap : {" ", "\xc2\xa0", "&#160;", "&nbsp;"}) {
    const size_t n = 6 + gap.size() + 10;
    if (text.size() >= n && text.substr(6, gap.size()) == gap &&
        EqualsLower(text.substr(6 + gap.size(), 10), "protected]")) {
      return n;
    }
  }
  return 0;
}

size_t MatchHalfAddress(std::string_view text) {
  if (text.empty() || text[0] != '<') return 0;
  size_t n = 1;
  while (n < text.size() && n <= 64 && !IsHigh(text[n]) &&
         (IsWordByte(text[n]) || IsPunct(text[n]))) {
    ++n;
  }
  if (n == 1 || !text.substr(n).starts_with(" EMAIL>") || HoldsMaskToken(text.substr(1, n - 1))) {
    return 0;
  }
  return n + 6;
}

size_t MatchEntity(std::string_view text) {
  if (text.empty() || text[0] != '&') return 0;
  for (const std::string_view entity :
       {"&lt;", "&gt;", "&amp;", "&quot;", "&nbsp;", "&#39;", "&apos;"}) {
    if (text.starts_with(entity)) return entity.size();
  }
  return 0;
}

size_t MatchUrl(std::string_view text) {
  size_t scheme = 0;
  for (const std::string_view s : {"http://", "https://", "ftp://"}) {
    if (text.size() > s.size() && EqualsLower(text.substr(0, s.size()), s)) scheme = s.size();
  }
  if (scheme == 0) return 0;
  size_t end = scheme;
  size_t open = 0;  // parentheses inside the address
  while (end < text.size()) {
    const char c = text[end];
    if (IsHigh(c)) {
      const HighChar high = ClassifyHigh(text.substr(end));
      if (high.kind != HighKind::kSpaced) break;
      end += high.bytes;
      continue;
    }
    if (IsBlank(c) || c == '"' || c == '<' || c == '>' || c == '`' || c == '{' || c == '}' ||
        c == '|' || c == '\\' || c == '[' || c == ']') {
      break;
    }
    if (c == '(') ++open;
    if (c == ')' && open-- == 0) break;
    ++end;
  }
  while (end > scheme && (IsPunct(text[end - 1]) || text[end - 1] == ',' || text[end - 1] == ';' ||
                          text[end - 1] == '(')) {
    if (text[end - 1] == '/') break;
    --end;
  }
  // Not a mask token in place of the host: what follows it was judged by itself.
  return end > scheme && IsWordByte(text[scheme]) && text[scheme] != '_' ? end : 0;
}

UrlParts SplitUrl(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  const size_t path_at = std::min(url.find_first_of("/?#"), url.size());
  std::string_view host = url.substr(0, path_at);
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  host = host.substr(0, host.find(':'));
  UrlParts parts{host, {}};
  const std::string_view rest = url.substr(path_at);
  if (const size_t page = rest.find("?p="); page != std::string_view::npos) {
    const std::string_view value = rest.substr(page + 3);
    const std::string_view word = value.substr(0, value.find_first_of("&#"));
    if (IsPageWord(word)) parts.hint = word;
  } else if (rest.find('?') == std::string_view::npos) {
    const std::string_view path = rest.substr(0, rest.find('#'));
    const size_t slash = path.rfind('/');
    if (slash != std::string_view::npos && IsPageWord(path.substr(slash + 1))) {
      parts.hint = path.substr(slash + 1);
    }
  }
  return parts;
}

}  // namespace rebound
