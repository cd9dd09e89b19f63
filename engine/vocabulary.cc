#include "engine/vocabulary.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace rebound {
namespace {

using enum Fault;

struct Row {
  std::string_view bnac, backoff, action;
  Fault fault;
  bool hard;
  int momentum_code;
  std::string_view enhanced;
  std::string_view lost;
};

constexpr std::string_view kSenderAddress = "SENDER_REPUTATION__SENDER_ADDRESS";
constexpr std::string_view kSenderDomain = "SENDER_REPUTATION__DOMAIN";
constexpr std::string_view kDkimFail = "POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL";
constexpr std::string_view kSpfOrDmarcFail = "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL";

// What is lost, where many rows lose the same.
constexpr std::string_view kThatIdentity = "that it is authentication, and which";
constexpr std::string_view kWhatIsCounted = "that it is a rate, and what is counted";
constexpr std::string_view kWhoBlocks = "who blocks what";

// The first row with a label is the one to assume for it alone, so order matters: what a text that
// says no more would get stands before what is more precise.
constexpr Row kRows[] = {
    {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", kRecipient, true, 10, "1.1", ""},
    {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "invalid_address", kRecipient, true, 10, "1.3",
     "that the address was never one"},
    {"RECIPIENT_ERROR", "RECIPIENT_ERROR", "mailbox_disabled", kRecipient, true, 10, "2.1",
     "that the mailbox was there"},
    {"RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", kRecipient, false, 22, "2.2", ""},
    {"BLOCKED", "GENERIC_BLOCK", "policy_blocked", kPolicy, false, 50, "7.1", ""},
    {"BLOCKED", "GENERIC_BLOCK", "relay_denied", kPolicy, false, 54, "7.1", ""},
    {"BLOCKED", "GENERIC_BLOCK", "geo_blocked", kPolicy, false, 50, "7.1", "the region"},
    {"BLOCKED", "GENERIC_BLOCK", "unknown", kPolicy, false, 1, "0.0", ""},
    {"BLOCKED", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", kSenderReputation, false, 50, "7.1",
     "that it is the IP"},
    {"BLOCKED", kSenderAddress, "policy_blocked", kSenderIdentity, false, 50, "1.8",
     "that it is the sender's address"},
    {"RECIPIENT_ERROR", "RECIPIENT_ERROR", "policy_blocked", kPolicy, false, 50, "7.1",
     "that the recipient is restricted"},
    {"TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", kReceiver, false, 20, "3.0",
     ""},
    {"TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "unknown", kReceiver, false, 70, "0.0",
     "that no reason is given"},
    {"TEMPORARY_ERROR", "RATE_LIMIT__SERVER_BUSY", "server_error", kReceiver, false, 70, "4.5",
     "that the receiver is busy"},
    {"TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", kNetwork, false, 20, "4.2",
     "that it is the connection"},
    {"TLS", "CONNECTION_FAILURE", "server_error", kNetwork, false, 20, "7.0", "that it is TLS"},
    {"TLS", "CONNECTION_FAILURE", "policy_blocked", kPolicy, false, 50, "7.10", "that it is TLS"},
    {"MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error", kNetwork, false, 21, "4.3", ""},
    {"MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address", kRecipient, true, 21, "1.2",
     "that the domain does not exist, and with it that it is hard"},
    {"GRAYLISTING", "GRAYLISTING", "greylisting", kPolicy, false, 70, "7.1", "greylisting"},
    {"RATE_LIMIT", "RATE_LIMIT__GENERAL", "rate_limited", kPolicy, false, 70, "7.28",
     kWhatIsCounted},
    {"RATE_LIMIT", "RATE_LIMIT__IP_RATE_LIMIT", "rate_limited", kPolicy, false, 70, "7.28",
     kWhatIsCounted},
    {"RATE_LIMIT", "RATE_LIMIT__RECIPIENT_LIMIT", "rate_limited", kPolicy, false, 70, "5.3",
     kWhatIsCounted},
    {"RATE_LIMIT", "RATE_LIMIT__DOMAIN_RATE_LIMIT", "rate_limited", kPolicy, false, 70, "7.28",
     kWhatIsCounted},
    {"RATE_LIMIT", "RATE_LIMIT__URL_DOMAIN", "rate_limited", kPolicy, false, 70, "7.28",
     kWhatIsCounted},
    {"RATE_LIMIT", "CONCURRENCY_LIMIT", "rate_limited", kPolicy, false, 70, "7.28", kWhatIsCounted},
    {"BLOCK_LIST", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", kSenderReputation, false, 51, "7.1",
     "that a third party lists it"},
    {"IP_REPUTATION", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", kSenderReputation, false, 51, "7.1",
     ""},
    {"DOMAIN_REPUTATION", kSenderDomain, "domain_blacklisted", kSenderReputation, false, 51, "7.1",
     "that it is the domain"},
    {"BLOCK_LIST", kSenderDomain, "domain_blacklisted", kSenderReputation, false, 51, "7.1",
     kWhoBlocks},
    {"BLOCKED", kSenderDomain, "domain_blacklisted", kSenderReputation, false, 50, "7.1",
     kWhoBlocks},
    {"BLOCK_LIST", kSenderAddress, "policy_blocked", kSenderReputation, false, 51, "7.1",
     kWhoBlocks},
    {"DMARC", kSpfOrDmarcFail, "auth_failure", kSenderIdentity, false, 50, "7.26", kThatIdentity},
    {"SPF", kSpfOrDmarcFail, "auth_failure", kSenderIdentity, false, 50, "7.23", kThatIdentity},
    {"DKIM", kDkimFail, "auth_failure", kSenderIdentity, false, 50, "7.20", kThatIdentity},
    {"DNS_PTR", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", kSenderIdentity, false, 50, "7.25",
     "the reverse DNS"},
    {"DNS_PTR", "INFRASTRUCTURE_BLOCK", "policy_blocked", kSenderIdentity, false, 50, "7.25",
     "the HELO name"},
    {"MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", kContent, false, 50, "6.0",
     "that it is the content; size (23) and attachment (53) are told by the words"},
    {"MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "spam_blocked", kContent, false, 52, "7.1", ""},
    {"MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "domain_blacklisted", kContent, false, 52, "7.1",
     "that a link is listed"},
    {"BLOCK_LIST", "CONTENT_REJECTED_SPAM", "domain_blacklisted", kContent, false, 52, "7.1",
     "that a third party lists a link"},
    {"VIRUS", "CONTENT_REJECTED_VIRUS", "virus_detected", kContent, false, 53, "7.0",
     "that it is malware"},
    {"PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked", kPolicy, false, 40, "5.1",
     "that it is the protocol"},
    {"PROTOCOL_ERROR", "AUTHENTICATION_ERROR", "relay_denied", kSenderIdentity, false, 54, "7.8",
     "that SMTP AUTH is asked for"},
};
constexpr size_t kRowCount = std::size(kRows);

constexpr size_t kBnacCount = 18, kBackoffCount = 24, kActionCount = 16;

size_t PlaceOf(const Labels& labels) {
  return (labels[0] * kBackoffCount + labels[1]) * kActionCount + labels[2];
}

class Table {
 public:
  Table() {
    for (const Row& row : kRows) {
      causes_.push_back({{FindLabel(Task::kBnac, row.bnac).value(),
                          FindLabel(Task::kBackoff, row.backoff).value(),
                          FindLabel(Task::kAction, row.action).value()},
                         row.fault,
                         row.hard,
                         row.momentum_code,
                         row.enhanced,
                         row.lost});
    }
    Labels labels;
    for (labels[0] = 0; labels[0] < kBnacCount; ++labels[0]) {
      for (labels[1] = 0; labels[1] < kBackoffCount; ++labels[1]) {
        for (labels[2] = 0; labels[2] < kActionCount; ++labels[2]) {
          nearest_[PlaceOf(labels)] = FindNearest(labels);
        }
      }
    }
  }

  std::span<const Cause> causes() const { return causes_; }
  const Cause& Nearest(const Labels& labels) const { return causes_[nearest_[PlaceOf(labels)]]; }

 private:
  // Two labels outvote one; where no two agree the action label decides, as it says what is done
  // to the recipient.
  uint8_t FindNearest(const Labels& labels) const {
    constexpr std::array<int, kTaskCount> kWeights = {4, 3, 5};
    size_t best = 0;
    int highest = -1;
    for (size_t i = 0; i < causes_.size(); ++i) {
      int weight = 0;
      for (size_t task = 0; task < kTaskCount; ++task) {
        if (causes_[i].labels[task] == labels[task]) weight += kWeights[task];
      }
      if (weight > highest) {
        highest = weight;
        best = i;
      }
    }
    return static_cast<uint8_t>(best);
  }

  std::vector<Cause> causes_;
  std::array<uint8_t, kBnacCount * kBackoffCount * kActionCount> nearest_{};
};
static_assert(kRowCount < 256, "nearest_ counts in bytes");

const Table& TheTable() {
  static const Table kTable;
  return kTable;
}

// ---- Momentum's codes ---------------------------------------------------------------------------

struct MomentumRow {
  int code;
  std::string_view bnac, backoff, action, enhanced;
  bool hard, suppress;
  std::string_view lost;
};

constexpr std::string_view kNoBounce = "no bounce: the model's classes stay";
constexpr MomentumRow kMomentum[] = {
    {1, "BLOCKED", "GENERIC_BLOCK", "unknown", "5.0.0", false, false, ""},
    {10, "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", "5.1.1", true, true, ""},
    {20, "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", "5.3.0", false, false, ""},
    {21, "MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error", "4.4.3", false, false, ""},
    {22, "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", "5.2.2", false, false, ""},
    {23, "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", "5.3.4", false, false,
     "the size: any rule about content"},
    {24, "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", "4.4.7", false, false,
     "the time: any failed connection"},
    {25, "BLOCKED", "GENERIC_BLOCK", "policy_blocked", "5.7.1", false, false,
     "that the sender's own server refused"},
    {30, "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", "5.1.0", true, true,
     "that no recipient was found in the bounce"},
    {40, "BLOCKED", "GENERIC_BLOCK", "unknown", "5.0.0", false, false,
     "that it is a bounce of no known reason, not one that was not understood"},
    {50, "BLOCKED", "GENERIC_BLOCK", "policy_blocked", "5.7.1", false, false, ""},
    {51, "IP_REPUTATION", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", "5.7.1", false, false, ""},
    {52, "MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "spam_blocked", "5.7.1", false, false, ""},
    {53, "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", "5.6.1", false, false,
     "the attachment: any rule about content"},
    {54, "BLOCKED", "GENERIC_BLOCK", "relay_denied", "5.7.1", false, false, ""},
    {60, "", "", "", "", false, false, kNoBounce},
    {70, "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", "4.3.0", false, false, ""},
    {80, "", "", "", "", false, false, kNoBounce},
    {90, "", "", "", "", true, true, kNoBounce},
    {100, "", "", "", "", false, false, kNoBounce},
};

std::vector<MomentumMeaning> MakeMeanings() {
  std::vector<MomentumMeaning> all;
  for (const MomentumRow& row : kMomentum) {
    const Cause* cause = nullptr;
    if (!row.bnac.empty()) {
      cause = &CauseOf({FindLabel(Task::kBnac, row.bnac).value(),
                        FindLabel(Task::kBackoff, row.backoff).value(),
                        FindLabel(Task::kAction, row.action).value()});
    }
    all.push_back({row.code, cause, row.enhanced, row.hard, row.suppress, row.lost});
  }
  return all;
}

// ---- words --------------------------------------------------------------------------------------

// In lower case; other scripts have no case that matters here.
constexpr std::string_view kSizeWords[] = {"too large",
                                           "too big",
                                           "size",
                                           "oversize",
                                           "exceeds the max",
                                           "larger than",
                                           "größe",
                                           "groesse",
                                           "zu groß",
                                           "taille",
                                           "trop volumineux",
                                           "tamaño",
                                           "tamanho",
                                           "dimensione",
                                           "te groot",
                                           "размер",
                                           "слишком больш",
                                           "rozmiar",
                                           "velikost",
                                           "サイズ",
                                           "容量",
                                           "太大",
                                           "大小",
                                           "過大",
                                           "크기"};
constexpr std::string_view kAttachmentWords[] = {
    "attach",  "file type",    "filetype",       "file extension", "executable", "anhang",
    "anhänge", "pièce jointe", "pièces jointes", "adjunto",        "anexo",      "allegat",
    "bijlage", "вложени",      "załącznik",      "příloh",         "添付",       "附件",
    "첨부"};
constexpr std::string_view kTimeoutWords[] = {"timeout",        "timed out",
                                              "time out",       "time-out",
                                              "expired",        "too long",
                                              "too old",        "zeitüberschreitung",
                                              "délai",          "tiempo de espera",
                                              "tempo limite",   "tempo scaduto",
                                              "тайм-аут",       "таймаут",
                                              "время ожидания", "タイムアウト",
                                              "超时",           "逾時",
                                              "시간 초과"};

bool HasWord(std::string_view lower, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [lower](std::string_view word) {
    return lower.find(word) != std::string_view::npos;
  });
}

// "5.2.3" -> "2.3".
std::string_view Detail(std::string_view enhanced) {
  return enhanced.size() < 2 ? std::string_view() : enhanced.substr(2);
}

bool Bears(const Cause& cause, Task task, std::string_view label) {
  return TaskLabels(task)[cause.labels[Index(task)]] == label;
}
bool IsContentRule(const Cause& cause) {
  return Bears(cause, Task::kBackoff, "CONTENT_REJECTED_OTHER");
}
bool IsConnection(const Cause& cause) {
  return Bears(cause, Task::kBackoff, "CONNECTION_FAILURE") &&
         Bears(cause, Task::kBnac, "TEMPORARY_ERROR");
}

}  // namespace

std::string_view FaultName(Fault fault) {
  switch (fault) {
    case kRecipient:
      return "recipient";
    case kSenderIdentity:
      return "sender_identity";
    case kSenderReputation:
      return "sender_reputation";
    case kContent:
      return "content";
    case kReceiver:
      return "receiver";
    case kNetwork:
      return "network";
    case kPolicy:
      break;
  }
  return "policy";
}

ReplyClass ReplyClassOf(std::string_view reply_code, std::string_view enhanced_code) {
  if (reply_code.starts_with('4') || enhanced_code.starts_with('4')) return ReplyClass::kTransient;
  if (reply_code.starts_with('5') || enhanced_code.starts_with('5')) return ReplyClass::kPermanent;
  return ReplyClass::kNone;
}

std::span<const Cause> KnownCauses() { return TheTable().causes(); }

const Cause& CauseOf(const Labels& labels) { return TheTable().Nearest(labels); }

const Cause& LikelyCause(Task task, size_t label) {
  const std::span<const Cause> causes = KnownCauses();
  return *std::find_if(causes.begin(), causes.end(),
                       [&](const Cause& cause) { return cause.labels[Index(task)] == label; });
}

bool IsOnlyCause(Task task, size_t label) {
  const std::span<const Cause> causes = KnownCauses();
  return std::count_if(causes.begin(), causes.end(),
                       [&](const Cause& cause) { return cause.labels[Index(task)] == label; }) == 1;
}

MomentumClues FindMomentumClues(const Cause& cause, std::string_view text,
                                const StatusCodes& codes) {
  MomentumClues clues;
  const std::string_view detail = Detail(codes.enhanced);
  if (IsContentRule(cause)) {
    const std::string lower = AsciiLower(text);
    clues.attachment = HasWord(lower, kAttachmentWords);
    clues.size = detail == "2.3" || detail == "3.4" || HasWord(lower, kSizeWords);
  } else if (IsConnection(cause)) {
    clues.timeout = detail == "4.7" || HasWord(AsciiLower(text), kTimeoutWords);
  }
  return clues;
}

int MomentumCodeOf(const Cause& cause, ReplyClass reply, const MomentumClues& clues) {
  // Of an attachment that is too large the size is what Momentum names.
  if (IsContentRule(cause) && clues.size) return 23;
  if (IsContentRule(cause) && clues.attachment) return 53;
  if (IsConnection(cause) && clues.timeout) return 24;
  if (reply != ReplyClass::kTransient) return cause.momentum_code;
  switch (cause.momentum_code) {
    case 10:  // the receiver will look once more
      return 20;
    case 1:
    case 20:
    case 40:
      return 70;
    default:
      return cause.momentum_code;
  }
}

std::span<const MomentumMeaning> MomentumMeanings() {
  static const std::vector<MomentumMeaning> kMeanings = MakeMeanings();
  return kMeanings;
}

const MomentumMeaning* FindMomentumMeaning(int code) {
  for (const MomentumMeaning& meaning : MomentumMeanings()) {
    if (meaning.code == code) return &meaning;
  }
  return nullptr;
}

bool IsHard(const Cause& cause, ReplyClass reply) {
  return cause.hard && reply != ReplyClass::kTransient;
}

std::string EnhancedCodeOf(const Cause& cause, ReplyClass reply) {
  const bool passing = cause.fault == kReceiver || cause.fault == kNetwork ||
                       cause.momentum_code == 70;  // a rate, greylisting
  const bool permanent = reply == ReplyClass::kNone ? !passing : reply == ReplyClass::kPermanent;
  return std::string(permanent ? "5." : "4.").append(cause.enhanced);
}

bool EnhancedCodeTells(const Cause& cause, ReplyClass reply) {
  const std::string code = EnhancedCodeOf(cause, reply);
  return std::all_of(kTasks.begin(), kTasks.end(), [&](Task task) {
    return LabelOfStatusCodes(task, {"", code, kLettersOfWords}) == cause.labels[Index(task)];
  });
}

}  // namespace rebound
