#include "models/status_code.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Of UTF-8 the first byte of a character counts.
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0xC0;
}
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The character at `i`, or a space beyond the ends.
char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : ' '; }

// At most 4: more are none of a code's, and a text of digits alone must not cost their square.
size_t DigitsAt(std::string_view text, size_t i) {
  size_t n = 0;
  while (n < 4 && IsDigit(At(text, i + n))) ++n;
  return n;
}

// Whether what stands behind three numbers makes them an IPv4 address or a part of one:
// "5.7.1.100", "5.7.1.*", "5.7.1.xxx", "5.7.1/24".
bool IsAddressTail(std::string_view rest) {
  const char mark = At(rest, 0);
  if (mark == '.') {
    const char next = At(rest, 1);
    if (IsDigit(next) || next == '*') return true;
    size_t crosses = 0;
    while (crosses < 4 && (At(rest, 1 + crosses) | 0x20) == 'x') ++crosses;
    return crosses > 0 && crosses < 4 && !IsWord(At(rest, 1 + crosses));
  }
  if (mark != '/') return false;
  const size_t bits = DigitsAt(rest, 1);
  return bits > 0 && bits < 3 && !IsWord(At(rest, 1 + bits));
}

// Bytes of the enhanced code that starts at `i`: class 4 or 5, a subject of the registry (0..7),
// a detail of up to three digits; 0 where there is none. More dots make it an IPv4 address or a
// version of some software.
size_t EnhancedAt(std::string_view text, size_t i) {
  const char before = i == 0 ? ' ' : text[i - 1];
  if (IsWord(before) || before == '.') return 0;
  if (text[i] != '4' && text[i] != '5') return 0;
  const char subject = At(text, i + 2);
  if (At(text, i + 1) != '.' || subject < '0' || subject > '7' || At(text, i + 3) != '.') return 0;
  const size_t detail = DigitsAt(text, i + 4);
  if (detail == 0 || detail > 3) return 0;
  const size_t end = i + 4 + detail;
  if (IsWord(At(text, end)) || IsAddressTail(text.substr(end))) return 0;
  return end - i;
}

// "wait 450 seconds": a number of something, not a reply.
bool CountsSomething(std::string_view rest) {
  static constexpr std::string_view kUnits[] = {
      "s",      "sec",     "secs", "second", "seconds", "min",  "mins",
      "minute", "minutes", "hour", "hours",  "day",     "days", "ms",
      "byte",   "bytes",   "kb",   "mb",     "gb",      "kib",  "mib"};
  if (rest.empty() || rest.front() != ' ') return false;
  rest.remove_prefix(1);
  size_t length = 0;
  while (length < rest.size() && length < 8 && IsWord(rest[length])) ++length;
  const std::string word = AsciiLower(rest.substr(0, length));
  for (const std::string_view unit : kUnits) {
    if (word == unit) return true;
  }
  return false;
}

// Whether a reply code (4yz or 5yz) stands at `i` by itself.
bool ReplyAt(std::string_view text, size_t i) {
  if ((text[i] != '4' && text[i] != '5') || DigitsAt(text, i) != 3) return false;
  const char before = i == 0 ? ' ' : text[i - 1];
  static constexpr std::string_view kOpeners = " \t\r\n;:,<>(['\"#|";
  if (kOpeners.find(before) == std::string_view::npos) return false;
  // The fragment of a URL and a time of day end in digits before the mark.
  if ((before == '#' || before == ':') && i >= 2 && IsWord(text[i - 2])) {
    if (before == '#' || IsDigit(text[i - 2])) return false;
  }
  const char after = At(text, i + 3);
  static constexpr std::string_view kClosers = " \t\r\n-.:,;)]>'\"|";
  if (kClosers.find(after) == std::string_view::npos) return false;
  if ((after == '.' || after == ',') && IsDigit(At(text, i + 4))) return false;
  return !CountsSomething(text.substr(i + 3));
}

// What a code means, as labels of the three tasks. One word for each meaning in the guide.
struct Meaning {
  std::string_view bnac, backoff, action;
  std::string_view Get(Task task) const {
    return task == Task::kBnac ? bnac : task == Task::kBackoff ? backoff : action;
  }
};

constexpr std::string_view kSenderAddress = "SENDER_REPUTATION__SENDER_ADDRESS";
constexpr std::string_view kDkimFail = "POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL";
constexpr std::string_view kSpfOrDmarcFail = "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL";

constexpr Meaning kNoSuchUser = {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"};
constexpr Meaning kBadAddress = {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "invalid_address"};
constexpr Meaning kNoSuchDomain = {"MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"};
constexpr Meaning kNoRoute = {"MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error"};
constexpr Meaning kDisabled = {"RECIPIENT_ERROR", "RECIPIENT_ERROR", "mailbox_disabled"};
constexpr Meaning kMailboxFull = {"RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"};
constexpr Meaning kBadSender = {"BLOCKED", kSenderAddress, "policy_blocked"};
constexpr Meaning kContent = {"MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked"};
constexpr Meaning kReceiverFault = {"TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error"};
constexpr Meaning kConnection = {"TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error"};
constexpr Meaning kBusy = {"TEMPORARY_ERROR", "RATE_LIMIT__SERVER_BUSY", "server_error"};
constexpr Meaning kProtocol = {"PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"};
constexpr Meaning kLogin = {"PROTOCOL_ERROR", "AUTHENTICATION_ERROR", "relay_denied"};
constexpr Meaning kTooManyRecipients = {"RATE_LIMIT", "RATE_LIMIT__RECIPIENT_LIMIT",
                                        "rate_limited"};
constexpr Meaning kFlood = {"RATE_LIMIT", "RATE_LIMIT__GENERAL", "rate_limited"};
constexpr Meaning kEncryptionDemanded = {"TLS", "CONNECTION_FAILURE", "policy_blocked"};
constexpr Meaning kDkim = {"DKIM", kDkimFail, "auth_failure"};
constexpr Meaning kSpf = {"SPF", kSpfOrDmarcFail, "auth_failure"};
constexpr Meaning kUnauthenticated = {"DMARC", kSpfOrDmarcFail, "auth_failure"};
constexpr Meaning kNoPtr = {"DNS_PTR", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"};

enum Class : uint8_t { k4 = 1, k5 = 2, kAny = 3 };

struct EnhancedRow {
  std::string_view code;  // subject.detail
  Class classes;
  const Meaning& meaning;
  std::string_view source;
};

// Left out: codes that say nothing (x.0, 1.4, 1.9, 2.4, 3.5, 5.0), codes that receivers use for
// everything (7.1, 7.2), and those whose common use contradicts the registry (4.2.1 and 5.4.1,
// where large receivers mean a rate and an unknown user; 7.13, 7.29, 7.30).
constexpr EnhancedRow kEnhanced[] = {
    {"1.1", kAny, kNoSuchUser, "RFC 3463, 3.2"},
    {"1.2", kAny, kNoSuchDomain, "RFC 3463, 3.2"},
    {"1.3", kAny, kBadAddress, "RFC 3463, 3.2"},
    {"1.6", kAny, kDisabled, "RFC 3463, 3.2"},
    {"1.7", kAny, kBadSender, "RFC 3463, 3.2"},
    {"1.8", kAny, kBadSender, "RFC 3463, 3.2"},
    {"2.1", k5, kDisabled, "RFC 3463, 3.3"},
    {"2.2", kAny, kMailboxFull, "RFC 3463, 3.3"},
    {"2.3", kAny, kContent, "RFC 3463, 3.3"},
    {"3.1", kAny, kReceiverFault, "RFC 3463, 3.4"},
    {"3.2", k4, kReceiverFault, "RFC 3463, 3.4"},
    {"3.3", kAny, kProtocol, "RFC 3463, 3.4"},
    {"3.4", kAny, kContent, "RFC 3463, 3.4"},
    {"4.1", k4, kConnection, "RFC 3463, 3.5"},
    {"4.2", kAny, kConnection, "RFC 3463, 3.5"},
    {"4.3", kAny, kNoRoute, "RFC 3463, 3.5"},
    {"4.4", k4, kNoRoute, "RFC 3463, 3.5"},
    {"4.4", k5, kNoSuchDomain, "RFC 3463, 3.5"},
    {"4.5", kAny, kBusy, "RFC 3463, 3.5"},
    {"4.6", kAny, kNoRoute, "RFC 3463, 3.5"},
    {"4.7", kAny, kConnection, "RFC 3463, 3.5"},
    {"5.1", kAny, kProtocol, "RFC 3463, 3.6"},
    {"5.2", kAny, kProtocol, "RFC 3463, 3.6"},
    {"5.3", kAny, kTooManyRecipients, "RFC 3463, 3.6"},
    {"5.4", kAny, kProtocol, "RFC 3463, 3.6"},
    {"5.5", kAny, kProtocol, "RFC 3463, 3.6"},
    {"6.1", kAny, kContent, "RFC 3463, 3.7"},
    {"6.3", kAny, kProtocol, "RFC 3463, 3.7"},
    {"5.6", kAny, kProtocol, "RFC 4954, 6"},
    {"7.8", kAny, kLogin, "RFC 4954, 6"},
    {"7.9", kAny, kLogin, "RFC 4954, 6"},
    {"7.10", kAny, kEncryptionDemanded, "RFC 5248, 3"},
    {"7.11", kAny, kEncryptionDemanded, "RFC 4954, 6"},
    {"7.12", kAny, kLogin, "RFC 4954, 6"},
    {"6.7", kAny, kProtocol, "RFC 6531"},
    {"6.9", kAny, kProtocol, "RFC 6531"},
    {"7.16", kAny, kContent, "RFC 6710"},
    {"7.17", kAny, kNoSuchUser, "RFC 7293"},
    {"7.20", kAny, kDkim, "RFC 7372, 3.1"},
    {"7.21", kAny, kDkim, "RFC 7372, 3.1"},
    {"7.22", kAny, kDkim, "RFC 7372, 3.1"},
    {"7.23", kAny, kSpf, "RFC 7372, 3.2"},
    {"7.24", kAny, kSpf, "RFC 7372, 3.2"},
    {"7.25", kAny, kNoPtr, "RFC 7372, 3.3"},
    {"7.26", kAny, kUnauthenticated, "RFC 7372, 3.4"},
    {"1.10", kAny, kNoSuchDomain, "RFC 7505"},
    {"7.27", kAny, kBadSender, "RFC 7505"},
    {"7.28", kAny, kFlood, "IANA registry"},
};

struct ReplyRow {
  std::string_view code;
  const Meaning& meaning;
  std::string_view source;
};

// Left out: 450, 550, 553 and 554, which stand for everything; 454 and 530, for encryption and for
// authentication alike.
constexpr ReplyRow kReplies[] = {
    {"421", kReceiverFault, "RFC 5321, 4.2.3"},
    {"451", kReceiverFault, "RFC 5321, 4.2.3"},
    {"452", kReceiverFault, "RFC 5321, 4.2.3"},
    {"455", kProtocol, "RFC 5321, 4.2.3"},
    {"500", kProtocol, "RFC 5321, 4.2.3"},
    {"501", kProtocol, "RFC 5321, 4.2.3"},
    {"502", kProtocol, "RFC 5321, 4.2.3"},
    {"503", kProtocol, "RFC 5321, 4.2.3"},
    {"504", kProtocol, "RFC 5321, 4.2.3"},
    {"534", kLogin, "RFC 4954, 6"},
    {"535", kLogin, "RFC 4954, 6"},
    {"538", kLogin, "RFC 4954, 6"},
    {"551", kNoSuchUser, "RFC 5321, 4.2.3"},
    {"552", kMailboxFull, "RFC 5321, 4.2.3"},
    {"555", kProtocol, "RFC 5321, 4.2.3"},
    {"556", kNoSuchDomain, "RFC 7504"},
};

const Meaning* MeaningOf(const StatusCodes& codes) {
  if (!codes.enhanced.empty()) {
    const Class its_class = codes.enhanced.front() == '4' ? k4 : k5;
    const std::string_view code = codes.enhanced.substr(2);
    for (const EnhancedRow& row : kEnhanced) {
      if (row.code == code && (row.classes & its_class) != 0) return &row.meaning;
    }
    // "552 5.7.0" is a matter of security: only a code that says nothing leaves the word to 552.
    if (code != "0.0") return nullptr;
  }
  if (codes.letters >= kLettersOfWords) return nullptr;
  for (const ReplyRow& row : kReplies) {
    if (row.code == codes.reply) return &row.meaning;
  }
  return nullptr;
}

}  // namespace

StatusCodes FindStatusCodes(std::string_view text) {
  StatusCodes codes;
  for (const char c : text) codes.letters += IsLetter(c) ? 1 : 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '4' && text[i] != '5') continue;
    if (codes.reply.empty() && ReplyAt(text, i)) codes.reply = text.substr(i, 3);
    if (codes.enhanced.empty()) {
      const size_t length = EnhancedAt(text, i);
      if (length > 0) codes.enhanced = text.substr(i, length);
    }
    if (!codes.reply.empty() && !codes.enhanced.empty()) break;
  }
  return codes;
}

std::vector<StatusCodeMeaning> StatusCodeMeanings() {
  std::vector<StatusCodeMeaning> all;
  const auto add = [&all](std::string code, const Meaning& m, std::string_view source) {
    all.push_back({std::move(code), {m.bnac, m.backoff, m.action}, source});
  };
  for (const EnhancedRow& row : kEnhanced) {
    const std::string_view first = row.classes == k4 ? "4" : row.classes == k5 ? "5" : "x";
    add(std::string(first) + "." + std::string(row.code), row.meaning, row.source);
  }
  for (const ReplyRow& row : kReplies) add(std::string(row.code), row.meaning, row.source);
  return all;
}

std::optional<size_t> LabelOfStatusCodes(Task task, const StatusCodes& codes) {
  const Meaning* meaning = MeaningOf(codes);
  if (meaning == nullptr) return std::nullopt;
  return FindLabel(task, meaning->Get(task));
}

}  // namespace rebound
