#include "tokenizer/part.h"

#include "tokenizer/characters.h"
#include "tokenizer/known_names.h"

namespace rebound {
namespace {

constexpr Verdict kNothing;

Verdict Token(MaskToken token, std::string_view name = {}) {
  return {VerdictKind::kToken, token, name};
}

void LookAtPunct(char c, Makeup* m) {
  switch (c) {
    case '@':
      m->at = true;
      break;
    case '/':
    case '?':
      m->path = true;
      break;
    case ':':
      m->colon = true;
      break;
    case '=':
      m->equal = true;
      break;
    case '+':
      m->plus = true;
      break;
    case '-':
      m->dash = true;
      break;
    case '.':
      m->dot = true;
      break;
    case '\'':
      m->apostrophe = true;
      break;
    default:
      m->loose = true;
  }
}

// to=user@host: a key of a log, not the start of an address.
bool StartsWithKey(std::string_view part) {
  constexpr std::string_view kKeys[] = {"to",    "from",     "rcpt",      "orcpt", "mail",
                                        "email", "mailfrom", "rcpt_to",   "user",  "address",
                                        "for",   "sender",   "recipient", "helo",  "envelope-from"};
  const std::string_view key = part.substr(0, part.find('='));
  for (const std::string_view known : kKeys) {
    if (EqualsLower(key, known)) return true;
  }
  return false;
}

Verdict JudgeHost(std::string_view part, const Makeup& m) {
  if (!m.dot || m.plus || m.equal || m.loose || m.apostrophe || !IsHost(part)) return kNothing;
  return Token(MaskToken::kHost, NameOfHost(part));
}

Verdict JudgePath(std::string_view part, const Makeup& m) {
  if (m.letters == 0 && IsDate(part)) return Token(MaskToken::kDate);
  const size_t slash = part.find('/');
  if (slash == std::string_view::npos) return kNothing;
  if (m.letters == 0) {
    const bool is_net =
        m.dot && !m.colon && part.size() - slash <= 3 && IsIpv4(part.substr(0, slash));
    return is_net ? Token(MaskToken::kIpv4) : kNothing;  // 192.0.2.0/24
  }
  if (!IsHost(part.substr(0, slash))) return kNothing;
  return {VerdictKind::kUrl, MaskToken::kUrl, {}};
}

Verdict JudgeColons(std::string_view part, const Makeup& m) {
  if (!m.path && IsIpv6(part)) return Token(MaskToken::kIpv6);
  if (m.digits == 0) return kNothing;
  if (IsTime(part)) {
    // 00:05:00 is how long, 14:05:00 is when.
    const bool span = part.size() == 8 && part.starts_with("00:");
    return Token(span ? MaskToken::kDuration : MaskToken::kDate);
  }
  return IsDate(part) ? Token(MaskToken::kDate) : kNothing;
}

// Digits and punctuation.
Verdict JudgeNumber(std::string_view part, const Makeup& m) {
  if (m.dot && !m.dash && !m.plus && !m.loose && !m.apostrophe) {
    if (IsEnhancedCode(part)) return {VerdictKind::kEnhanced, MaskToken::kNone, {}};
    if (IsIpv4(part)) return Token(MaskToken::kIpv4);
  }
  if (IsDate(part)) return Token(MaskToken::kDate);
  if (m.loose || m.apostrophe || (m.dot && m.dash)) return kNothing;
  return Token(MaskToken::kNumber);
}

}  // namespace

Makeup LookAt(std::string_view part) {
  Makeup m;
  for (const char c : part) {
    switch (ClassOf(c)) {
      case CharClass::kLetter:
        ++m.letters;
        break;
      case CharClass::kDigit:
        ++m.digits;
        break;
      case CharClass::kUnderscore:
        m.underscore = true;
        break;
      case CharClass::kHigh:
        m.high = true;
        break;
      default:
        LookAtPunct(c, &m);
    }
  }
  return m;
}

Verdict JudgePart(std::string_view part, const Makeup& m) {
  if (m.at) {
    if (m.path || m.colon || (m.equal && StartsWithKey(part))) return kNothing;
    return Token(MaskToken::kEmail, NameOfHost(part.substr(part.rfind('@') + 1)));
  }
  if (m.high) return m.path || m.colon ? kNothing : JudgeHost(part, m);
  if (m.path) {
    const Verdict verdict = JudgePath(part, m);
    if (verdict.kind != VerdictKind::kNothing) return verdict;
  }
  if (m.colon) return JudgeColons(part, m);
  if (m.path || m.equal) return kNothing;
  if (m.digits > 0) {
    if (m.letters == 0 && !m.underscore) return JudgeNumber(part, m);
    if (IsProviderCode(part)) return {VerdictKind::kJoined, MaskToken::kNone, {}};
    if (m.loose) return kNothing;
    if (m.dash && IsUuid(part)) return Token(MaskToken::kUuid);
    if (IsDate(part)) return Token(MaskToken::kDate);
  }
  if (m.loose || m.apostrophe) return kNothing;
  const Verdict host = JudgeHost(part, m);
  if (host.kind != VerdictKind::kNothing) return host;
  return m.digits > 0 && m.letters > 0 && IsJoinedId(part) ? Token(MaskToken::kId) : kNothing;
}

bool HoldsMaskToken(std::string_view part) {
  for (size_t i = 0; i < part.size();) {
    size_t end = i;
    while (end < part.size() && IsWordByte(part[end])) ++end;
    if (FindMaskToken(part.substr(i, end - i)) != MaskToken::kNone) return true;
    i = end + 1;
  }
  return false;
}

int LoosestJoint(const Makeup& m) {
  const bool present[] = {m.path, m.colon, m.loose, m.equal, m.at || m.plus, m.dash, m.dot};
  int level = 0;
  while (level < 7 && !present[level]) ++level;
  return level;
}

bool IsJoint(char c, int level) {
  switch (level) {
    case 0:
      return c == '/' || c == '?';
    case 1:
      return c == ':';
    case 2:
      return IsPunct(c) && std::string_view("#&*!$^~%").find(c) != std::string_view::npos;
    case 3:
      return c == '=';
    case 4:
      return c == '@' || c == '+';
    case 5:
      return c == '-';
    case 6:
      return c == '.';
    default:
      return c == '\'';
  }
}

}  // namespace rebound
