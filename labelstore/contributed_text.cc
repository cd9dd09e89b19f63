#include "labelstore/contributed_text.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "tokenizer/characters.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

constexpr std::string_view kEmail = "__email__";
constexpr std::string_view kHost = "__host__";
constexpr size_t kLongestName = 80;

// What ends a half of an address on either side.
bool EndsAddress(char c) {
  return IsBlank(c) || std::string_view("<>()[]{},;:\"'|=").find(c) != std::string_view::npos;
}

// --- addresses that masking does not see ---------------------------------------------------------

// The bytes of an at sign in any spelling, or 0.
size_t MatchAt(std::string_view rest) {
  for (const std::string_view at : {"@", "\xef\xbc\xa0", "[at]", "(at)", "{at}", " [at] ", " (at) ",
                                    " {at} ", "[AT]", "(AT)", " [AT] ", " (AT) "}) {
    if (rest.starts_with(at)) return at.size();
  }
  return 0;
}

size_t MatchDot(std::string_view rest) {
  for (const std::string_view dot : {"[dot]", "(dot)", "{dot}", " [dot] ", " (dot) ", " {dot} ",
                                     "[DOT]", "(DOT)", " [DOT] ", " (DOT) "}) {
    if (rest.starts_with(dot)) return dot.size();
  }
  return 0;
}

bool IsUnspaced(std::string_view rest) {
  return !rest.empty() && IsHigh(rest[0]) && ClassifyHigh(rest).kind == HighKind::kUnspaced;
}

size_t StartOfLast(std::string_view before) {
  size_t at = before.size();
  while (at > 0 && (before[at - 1] & 0xc0) == 0x80) --at;
  return at > 0 ? at - 1 : 0;
}

// Where the local part before `at` starts; `at` itself where there is none.
size_t LocalStart(std::string_view text, size_t at, bool* odd) {
  if (at > 0 && text[at - 1] == '"') {
    const size_t open = text.substr(0, at - 1).rfind('"');
    if (open == std::string_view::npos || at - open > kLongestName) return at;
    if (text.substr(open, at - open).find('\n') != std::string_view::npos) return at;
    *odd = true;
    return open;
  }
  size_t start = at;
  while (start > 0 && !EndsAddress(text[start - 1])) --start;
  *odd = *odd || (start < at && IsUnspaced(text.substr(StartOfLast(text.substr(0, at)))));
  return start;
}

// Where the domain from `begin` ends.
size_t DomainEnd(std::string_view text, size_t begin, bool* odd) {
  const bool unspaced = IsUnspaced(text.substr(begin));
  *odd = *odd || unspaced;
  size_t end = begin;
  while (end < text.size()) {
    if (const size_t dot = MatchDot(text.substr(end)); dot > 0) {
      end += dot;
      *odd = true;
    } else if (text[end] == ' ' && end + 2 < text.size() && text[end + 1] == '.' &&
               IsLetter(text[end + 2]) && end > begin) {
      end += 2;  // jane@example .com
      *odd = true;
    } else if (EndsAddress(text[end]) || (!unspaced && IsUnspaced(text.substr(end)))) {
      break;
    } else {
      ++end;
    }
  }
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  return end;
}

std::string HideOddAddresses(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t at = MatchAt(text.substr(i));
    if (at == 0) continue;
    bool odd = at > 1;
    size_t begin = i + at;
    if (at == 1 && begin + 1 < text.size() && text[begin] == ' ' && IsLetter(text[begin + 1])) {
      ++begin;  // jane@ example .com: odd where the domain is
    }
    const size_t start = LocalStart(text, i, &odd);
    const size_t end = DomainEnd(text, begin, &odd);
    if (!odd || start >= i || start < done || end == begin) continue;
    out.append(text.substr(done, start - done)).append(kEmail);
    done = end;
    i = end - 1;
  }
  return out.append(text.substr(done));
}

// --- names beside an address ---------------------------------------------------------------------

// Words that stand in quotes or after a header's name and are no one's name.
constexpr std::array<std::string_view, 40> kNoNames = {
    "account",    "address",     "denied",    "delivery", "disabled",  "does",      "domain",
    "error",      "exist",       "failed",    "found",    "full",      "invalid",   "is",
    "local",      "mail",        "mailbox",   "message",  "no",        "not",       "policy",
    "postmaster", "quota",       "recipient", "refused",  "rejected",  "sender",    "sending",
    "server",     "spam",        "status",    "such",     "suspended", "temporary", "to",
    "unknown",    "unavailable", "user",      "users",    "verify"};

bool StartsLikeAName(std::string_view word) {
  if (word.empty()) return false;
  if (!IsHigh(word[0])) return IsUpper(word[0]);
  const CodePoint first = DecodeUtf8(word);
  return IsUnspaced(word) || LowerCase(first.value) != first.value;
}

// One to five words that could be someone's name.
bool LooksLikeAName(std::string_view text, size_t least_words) {
  size_t words = 0;
  for (const std::string_view part : Split(text, ' ')) {
    const std::string_view word = Trim(part);
    if (word.empty()) continue;
    const std::string lower =
        AsciiLower(word.back() == ',' ? word.substr(0, word.size() - 1) : word);
    if (std::find(kNoNames.begin(), kNoNames.end(), lower) != kNoNames.end()) return false;
    if (word.find("__") != std::string_view::npos) return false;
    for (const char c : word) {
      if (IsDigit(c) || (IsPunct(c) && std::string_view("-'.").find(c) == std::string_view::npos)) {
        if (c != ',') return false;
      }
    }
    if (!StartsLikeAName(word)) return false;
    ++words;
  }
  return words >= least_words && words <= 5;
}

// Where the name that ends at `end` starts; `end` where there is none.
size_t NameStart(std::string_view text, size_t end) {
  size_t last = end;
  while (last > 0 && text[last - 1] == ' ') --last;
  if (last == 0) return end;
  const char quote = text[last - 1];
  if (quote == '"' || quote == '\'') {
    const size_t open = text.substr(0, last - 1).rfind(quote);
    if (open == std::string_view::npos || last - open > kLongestName) return end;
    return LooksLikeAName(text.substr(open + 1, last - open - 2), 1) ? open : end;
  }
  // Without quotes only behind a header's name.
  const size_t colon = text.substr(0, last).rfind(':');
  if (colon == std::string_view::npos || last - colon > kLongestName) return end;
  const std::string before =
      AsciiLower(text.substr(colon < 8 ? 0 : colon - 8, std::min<size_t>(colon, 8)));
  for (const std::string_view header : {"to", "from", "cc", "bcc", "sender", "reply-to"}) {
    if (!before.ends_with(header)) continue;
    if (!LooksLikeAName(text.substr(colon + 1, last - colon - 1), 1)) return end;
    size_t start = colon + 1;
    while (text[start] == ' ') ++start;
    return start;
  }
  return end;
}

std::string HideNames(std::string_view masked) {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; (at = masked.find("<__email__", at)) != std::string_view::npos; ++at) {
    const size_t start = NameStart(masked, at);
    if (start >= at || start < done) continue;
    out.append(masked.substr(done, start - done));
    done = at;
  }
  return out.append(masked.substr(done));
}

// =?utf-8?Q?Jane_Roe?= in front of an address.
std::string HideEncodedNames(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; (at = text.find("=?", at)) != std::string_view::npos; ++at) {
    const size_t charset = text.find('?', at + 2);
    if (charset == std::string_view::npos) break;
    const size_t close = text.find("?=", std::min(charset + 3, text.size()));
    if (close == std::string_view::npos || at < done) continue;
    if (text.substr(at, close - at).find_first_of(" \r\n") != std::string_view::npos) continue;
    size_t after = close + 2;
    while (after < text.size() && IsBlank(text[after])) ++after;
    if (!text.substr(after).starts_with("<") && !text.substr(after).starts_with("=?")) continue;
    out.append(text.substr(done, at - done));
    done = after;
  }
  return out.append(text.substr(done));
}

// --- machines named after people -----------------------------------------------------------------

bool IsPersonalMachine(std::string_view word) {
  const std::string lower = AsciiLower(word);
  for (const std::string_view start : {"desktop-", "laptop-"}) {
    if (lower.starts_with(start) && lower.size() > start.size() + 3) return true;
  }
  for (const std::string_view end : {"-pc", "-laptop", "-desktop", "-macbook", "-macbook-pro",
                                     "-macbook-air", "-imac", "-iphone", "-ipad", "-notebook"}) {
    if (lower.ends_with(end) && lower.size() > end.size()) return true;
  }
  return false;
}

std::string HideMachines(std::string_view text) {
  const auto is_part = [](char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '_'; };
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && is_part(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    // A part of a whole host name is masked as one.
    const bool alone = (end == text.size() || text[end] != '.' || end + 1 == text.size() ||
                        !is_part(text[end + 1])) &&
                       (i == 0 || (text[i - 1] != '.' && text[i - 1] != '@'));
    if (!word.empty()) {
      out.append(alone && IsPersonalMachine(word) ? kHost : word);
    } else {
      out += text[end++];
    }
    i = end;
  }
  return out;
}

}  // namespace

std::string MaskContribution(std::string_view text) {
  // PostgreSQL stores no NUL, and what follows is about text.
  std::string clean = RepairUtf8(text);
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  std::string kept(CutUtf8(Trim(clean), kMaxTextBytes));
  // Hiding one thing may uncover another; a few rounds settle every text that people write.
  for (int round = 0; round < 4; ++round) {
    std::string next = HideNames(Mask(HideMachines(HideOddAddresses(HideEncodedNames(kept)))));
    next = std::string(CutUtf8(Trim(next), kMaxTextBytes));
    if (next == kept) break;
    kept = std::move(next);
  }
  return kept;
}

}  // namespace rebound
