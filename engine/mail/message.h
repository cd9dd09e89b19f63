// From a whole message to what it says about each recipient: delivery reports (RFC 3464, 6533),
// read receipts (RFC 8098), feedback reports (RFC 5965) and the free texts of mail servers that
// send no report. docs/messages.md tells what is read and what is not.
//
// Everything comes out of the message: nothing is looked up. What it does not tell is empty.
// Whatever the bytes, the work is linear in them: beyond the limits of docs/messages.md (headers,
// parts, nesting) the rest of a message is left unread and `truncated` says so. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

enum class MessageKind : uint8_t {
  kDsn,                // a delivery report
  kMdn,                // a read receipt or another disposition
  kArf,                // a complaint or another feedback report: no bounce
  kFreeForm,           // a bounce in words alone
  kAutoReply,          // out of office and other automatic answers
  kChallengeResponse,  // asks the sender to prove to be human
  kNone,               // none of these; `reason` says why
};
// Its wire value: "dsn", "mdn", "arf", "freeform", "auto_reply", "challenge_response", "none".
std::string_view MessageKindName(MessageKind kind);

// Whether the message tells what became of a delivery (kDsn, kFreeForm).
bool IsBounce(MessageKind kind);
// The `kind` of /v3/classify for texts of such a message: "mdn" for kMdn, kAutoReply and
// kChallengeResponse, else "smtp". It picks the list of overrides.
std::string_view OverrideKind(MessageKind kind);

// Which part of a message said something.
enum class ReportSource : uint8_t { kDeliveryStatus, kDisposition, kFeedback, kHumanText, kHeader };
// Its wire value: "delivery_status", "disposition", "feedback", "human_text", "header".
std::string_view ReportSourceName(ReportSource source);

// All strings are valid UTF-8.
struct RecipientReport {
  std::string recipient;           // "user@example.com"; empty where the message names nobody
  std::string original_recipient;  // the address before aliases and forwards
  std::string domain;              // of the recipient, lower case, for overrides
  std::string action;              // failed, delayed, delivered, relayed, expanded; of an MDN the
                                   // disposition (displayed, deleted, ...); else empty
  std::string status;              // "5.1.1"
  std::string diagnostic_type;     // "smtp", "x-unix"; lower case
  std::string diagnostic;          // as the report gives it, without its type
  std::string remote_mta;          // "mx.example.net": the server that said it
  // What to classify: the diagnostic where it has words, else the lines about this recipient in the
  // human part, else the status code and what it stands for. A reply of several lines keeps them,
  // parted by LF. Empty where nothing failed (delivered, ARF).
  std::string text;
  ReportSource source = ReportSource::kHumanText;  // of `text`, or of the recipient without one
};

struct BounceReport {
  MessageKind kind = MessageKind::kNone;
  std::string reason;               // kNone and kArf: why this is no bounce, for people
  std::string agent;                // who wrote a free text: "qmail", "exim", "exchange", ...
  std::string reporting_mta;        // "mail.example.com"
  std::string arrival_date;         // as written
  std::string original_message_id;  // "<1234@example.com>"
  std::string feedback_type;        // ARF: "abuse"
  std::string source_ip;            // ARF: where the complained-of message came from
  bool truncated = false;           // a limit left a part of the message unread
  std::vector<RecipientReport> recipients;
};

struct MessageLimits {
  size_t max_bytes = size_t{10} << 20;  // what the API takes; see kFileMessageBytes
  size_t max_recipients = 10'000;       // later ones are left out, `truncated` tells
  size_t max_nesting = 6;               // messages within messages that are looked into
};
inline constexpr size_t kFileMessageBytes = size_t{64} << 20;  // what the command line takes

// `bytes` is one message with any line ends, perhaps behind an mbox "From " line. Headers may be
// missing: a bare text is read as the body. Throws kTooLarge beyond max_bytes, kInvalidArgument
// where there is nothing at all (empty, blank).
BounceReport ParseMessage(std::string_view bytes, const MessageLimits& limits = {});

}  // namespace rebound
