#include "engine/mail/message.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "engine/mail/address.h"
#include "engine/mail/auto_reply.h"
#include "engine/mail/free_form.h"
#include "engine/mail/human_text.h"
#include "engine/mail/mime_message.h"
#include "engine/mail/reason.h"
#include "engine/mail/report_fields.h"
#include "engine/mail/status_words.h"
#include "models/status_code.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 7> kKindNames = {
    "dsn", "mdn", "arf", "freeform", "auto_reply", "challenge_response", "none"};
constexpr std::array<std::string_view, 5> kSourceNames = {"delivery_status", "disposition",
                                                          "feedback", "human_text", "header"};
constexpr size_t kLettersOfADiagnostic = 4;

bool IsTypeOf(const MimePart& part, std::string_view name) {
  return part.type == std::string("message/") + std::string(name) ||
         part.type == std::string("message/global-") + std::string(name);
}

const MimePart* FindReport(const MimeMessage& message, std::string_view name) {
  for (const MimePart& part : message.parts) {
    if (IsTypeOf(part, name)) return &part;
  }
  return nullptr;
}

bool IsEnclosedMessage(const MimePart& part) {
  return part.type == "message/rfc822" || part.type == "message/rfc2822" ||
         part.type == "message/global" || part.type == "message/news";
}

// The header of the message that the report is about.
std::vector<MimeField> OriginalHeader(const MimeMessage& message, const HumanText& words) {
  for (const MimePart& part : message.parts) {
    if (IsEnclosedMessage(part) || part.type == "text/rfc822-headers" ||
        part.type == "message/global-headers") {
      return ParseMimeHeader(part.body);
    }
  }
  // Behind the words, past the line that announces it and blank lines.
  std::string_view original = words.original;
  for (int lines = 0; lines < 8 && !original.empty(); ++lines) {
    std::vector<MimeField> fields = ParseMimeHeader(original);
    if (fields.size() > 1) return fields;
    const size_t end = original.find('\n');
    original.remove_prefix(end == std::string_view::npos ? original.size() : end + 1);
  }
  return {};
}

std::string_view FieldOf(const std::vector<MimeField>& fields, std::string_view name) {
  for (const MimeField& field : fields) {
    if (AsciiLower(field.name) == name) return field.value;
  }
  return {};
}

// One message without what it encloses.
class Analysis {
 public:
  Analysis(const MimeMessage& message, const MessageLimits& limits)
      : message_(message), limits_(limits) {
    ReadHumanText(message, &words_);
    original_ = OriginalHeader(message, words_);
    report_.truncated = message.truncated;
  }

  BounceReport Run() {
    if (!(TryFeedback() || TryDeliveryStatus() || TryDisposition() || TryFreeForm() ||
          TryAnswer())) {
      report_.reason = "no report, no bounce in words and no automatic answer";
    }
    if (report_.original_message_id.empty()) {
      report_.original_message_id = FieldOf(original_, "message-id");
    }
    if (report_.original_message_id.empty() && report_.kind != MessageKind::kNone) {
      report_.original_message_id = message_.Field("In-Reply-To");
    }
    return std::move(report_);
  }

 private:
  bool TryFeedback() {
    const MimePart* part = FindReport(message_, "feedback-report");
    if (part == nullptr) return false;
    report_.kind = MessageKind::kArf;
    ReadFeedback(part->body, limits_.max_recipients, &report_);
    const std::string type = report_.feedback_type.empty() ? "unknown" : report_.feedback_type;
    report_.reason = "a feedback report (" + type + "), no bounce: the message was delivered";
    if (report_.recipients.empty())
      AddNamed(AddressIn(FieldOf(original_, "to")), ReportSource::kHeader);
    return true;
  }

  bool TryDeliveryStatus() {
    for (const MimePart& part : message_.parts) {
      if (IsTypeOf(part, "delivery-status")) {
        ReadDeliveryStatus(part.body, limits_.max_recipients, &report_);
      }
    }
    if (report_.recipients.empty()) {  // under another type, or among the words
      for (const MimePart& part : message_.parts) {
        if (!IsEnclosedMessage(part) && LooksLikeDeliveryStatus(part.body)) {
          ReadDeliveryStatus(part.body, limits_.max_recipients, &report_);
          break;
        }
      }
    }
    if (report_.recipients.empty()) return false;
    report_.kind = MessageKind::kDsn;
    report_.agent = FindAgent(words_.lines).name;
    FillTexts();
    return true;
  }

  bool TryDisposition() {
    const MimePart* part = FindReport(message_, "disposition-notification");
    if (part == nullptr) return false;
    report_.kind = MessageKind::kMdn;
    ReadDisposition(part->body, &report_);
    if (report_.recipients.empty())
      AddNamed(AddressIn(message_.Field("From")), ReportSource::kHeader);
    for (RecipientReport& recipient : report_.recipients) recipient.text = Opening();
    return true;
  }

  bool TryFreeForm() {
    KnownAddresses known;
    for (const std::string_view name : {"To", "From", "Reply-To"}) {
      known.others.insert(AsciiLower(AddressIn(message_.Field(name))));
    }
    AddAddresses(message_.Field("X-Failed-Recipients"), &known.recipients);
    for (const std::string_view name : {"to", "cc"}) {
      AddAddresses(FieldOf(original_, name), &known.recipients);
    }
    const std::vector<FreeFormRecipient> found = ReadFreeForm(words_, known);
    int best = 0;
    for (const FreeFormRecipient& recipient : found) best = std::max(best, recipient.score);
    const FreeFormAgent agent = FindAgent(words_.lines);
    if (!IsFreeForm(agent, best)) return false;
    report_.kind = MessageKind::kFreeForm;
    report_.agent = agent.name;
    for (const FreeFormRecipient& recipient : found) AddFreeForm(recipient);
    NameFromHeaders();
    return true;
  }

  bool IsFreeForm(const FreeFormAgent& agent, int best) const {
    if (!message_.Field("X-Failed-Recipients").empty()) return true;
    if (message_.report_type == "delivery-status") return true;
    const std::string path(Trim(message_.Field("Return-Path")));
    const bool system =
        IsMailSystem(AddressIn(message_.Field("From"))) || path == "<>" ||
        AsciiLower(message_.Field("From")).find("mailer-daemon") != std::string::npos;
    const bool subject = IsBounceSubject(message_.Field("Subject"));
    const bool bare = message_.fields.empty();
    if (!agent.name.empty()) return system || subject || (bare && best > 0) || best >= kSureReason;
    return (system && (subject || best >= kSureReason)) || (subject && best >= kSureReason);
  }

  bool TryAnswer() {
    const bool challenge = IsChallenge(message_, words_.lines);
    if (!challenge && !IsAutoReply(message_)) return false;
    report_.kind = challenge ? MessageKind::kChallengeResponse : MessageKind::kAutoReply;
    AddNamed(AddressIn(message_.Field("From")), ReportSource::kHeader);
    for (RecipientReport& recipient : report_.recipients) recipient.text = Opening();
    return true;
  }

  static std::string AddressIn(std::string_view value) {
    const std::optional<FoundAddress> found = FindAddress(value.substr(0, 4096));
    return found ? std::string(found->address) : "";
  }

  static void AddAddresses(std::string_view value, std::unordered_set<std::string>* out) {
    for (std::optional<FoundAddress> found = FindAddress(value); found && out->size() < 1000;
         found = FindAddress(value, found->end)) {
      out->insert(AsciiLower(found->address));
    }
  }

  void AddNamed(std::string address, ReportSource source) {
    RecipientReport recipient;
    recipient.recipient = std::move(address);
    recipient.domain = DomainOfAddress(recipient.recipient);
    recipient.source = source;
    report_.recipients.push_back(std::move(recipient));
  }

  void AddFreeForm(const FreeFormRecipient& found) {
    if (report_.recipients.size() >= limits_.max_recipients) {
      report_.truncated = true;
      return;
    }
    RecipientReport recipient;
    recipient.recipient = found.address;
    recipient.domain = DomainOfAddress(found.address);
    recipient.original_recipient = found.original_address;
    recipient.action = found.delayed ? "delayed" : "failed";
    recipient.status = FindStatus(found.reason);
    recipient.remote_mta = found.remote_mta;
    recipient.text = found.reason;
    report_.recipients.push_back(std::move(recipient));
  }

  // X-Failed-Recipients names those whom the words do not; then the original's only To.
  void NameFromHeaders() {
    std::unordered_set<std::string> known;
    for (const RecipientReport& recipient : report_.recipients) {
      known.insert(AsciiLower(recipient.recipient));
    }
    const std::string_view failed = message_.Field("X-Failed-Recipients");
    std::vector<std::string> missing;
    for (const std::string_view one : Split(failed, ',')) {
      std::string address = AddressIn(one);
      if (!address.empty() && known.insert(AsciiLower(address)).second) missing.push_back(address);
    }
    if (missing.empty() && (report_.recipients.empty() || known.count("") > 0)) {
      const std::string_view to = FieldOf(original_, "to");
      if (std::count(to.begin(), to.end(), '@') == 1) missing.push_back(AddressIn(to));
    }
    const std::string text = report_.recipients.empty() ? "" : report_.recipients.front().text;
    for (std::string& address : missing) {
      if (report_.recipients.size() >= limits_.max_recipients) break;
      if (report_.recipients.size() == 1 && report_.recipients.front().recipient.empty()) {
        report_.recipients.front().recipient = address;
        report_.recipients.front().domain = DomainOfAddress(address);
        continue;
      }
      FreeFormRecipient recipient;
      recipient.address = std::move(address);
      recipient.reason = text.empty() ? Opening() : text;
      AddFreeForm(recipient);
      report_.recipients.back().source = ReportSource::kHeader;
    }
  }

  // The texts of a delivery report's recipients.
  void FillTexts() {
    std::unordered_map<std::string, FreeFormRecipient> said;
    bool read = false;
    for (RecipientReport& recipient : report_.recipients) {
      if (recipient.action != "failed" && recipient.action != "delayed") continue;
      const StatusCodes codes = FindStatusCodes(recipient.diagnostic);
      if (codes.letters >= kLettersOfADiagnostic) {
        recipient.text = WithStatus(recipient.diagnostic, codes, recipient.status);
        continue;
      }
      if (!read) {
        for (FreeFormRecipient& found : ReadFreeForm(words_, {})) {
          said.emplace(AsciiLower(found.address), std::move(found));
        }
        read = true;
      }
      TextFromWords(said, &recipient);
    }
  }

  void TextFromWords(const std::unordered_map<std::string, FreeFormRecipient>& said,
                     RecipientReport* recipient) const {
    auto found = said.find(AsciiLower(recipient->recipient));
    if (found == said.end()) found = said.find(AsciiLower(recipient->original_recipient));
    if (found == said.end() && report_.recipients.size() == 1 && said.size() == 1) {
      found = said.begin();
    }
    if (recipient->recipient.empty() && found != said.end() && report_.recipients.size() == 1) {
      recipient->recipient = found->second.address;
      recipient->domain = DomainOfAddress(recipient->recipient);
    }
    if (found != said.end() && found->second.score >= kLikelyReason) {
      const std::string& reason = found->second.reason;
      recipient->text = WithStatus(reason, FindStatusCodes(reason), recipient->status);
      recipient->source = ReportSource::kHumanText;
      if (recipient->remote_mta.empty()) recipient->remote_mta = found->second.remote_mta;
      return;
    }
    const std::string code(FindStatusCodes(recipient->diagnostic).reply);
    recipient->text = recipient->status.empty()
                          ? recipient->diagnostic
                          : (code.empty() ? "" : code + " ") + DescribeStatus(recipient->status);
  }

  // Words without any code get the report's, unless that says nothing ("5.0.0").
  static std::string WithStatus(const std::string& text, const StatusCodes& codes,
                                const std::string& status) {
    const bool coded = !codes.enhanced.empty() || !codes.reply.empty();
    if (coded || status.empty() || status.ends_with(".0.0")) return text;
    return status + " " + text;
  }

  // The first paragraph with more than a greeting in it.
  std::string Opening() const {
    std::string out;
    for (const std::string_view raw : words_.lines) {
      const std::string_view line = Trim(raw);
      if (line.empty() && out.size() > 40) break;
      if (line.empty() || line.starts_with('>')) continue;
      if (out.size() > 2000) break;
      if (!out.empty()) out += ' ';
      out += line.substr(0, 2000);
    }
    return RepairUtf8(out);
  }

  const MimeMessage& message_;
  const MessageLimits& limits_;
  HumanText words_;
  std::vector<MimeField> original_;
  BounceReport report_;
};

BounceReport Analyse(std::string_view bytes, const MessageLimits& limits, size_t nesting) {
  const MimeMessage message = ParseMime(bytes);
  BounceReport report = Analysis(message, limits).Run();
  if (report.kind != MessageKind::kNone || nesting == 0) return report;
  // Somebody forwarded it: the first enclosed message that is something.
  for (const MimePart& part : message.parts) {
    if (!IsEnclosedMessage(part)) continue;
    BounceReport inner = Analyse(part.body, limits, nesting - 1);
    if (inner.kind == MessageKind::kNone) continue;
    inner.truncated = inner.truncated || report.truncated;
    return inner;
  }
  return report;
}

}  // namespace

std::string_view MessageKindName(MessageKind kind) { return kKindNames[static_cast<size_t>(kind)]; }
std::string_view ReportSourceName(ReportSource source) {
  return kSourceNames[static_cast<size_t>(source)];
}
bool IsBounce(MessageKind kind) {
  return kind == MessageKind::kDsn || kind == MessageKind::kFreeForm;
}
std::string_view OverrideKind(MessageKind kind) {
  const bool answer = kind == MessageKind::kMdn || kind == MessageKind::kAutoReply ||
                      kind == MessageKind::kChallengeResponse;
  return answer ? "mdn" : "smtp";
}

BounceReport ParseMessage(std::string_view bytes, const MessageLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    throw Error(ErrorCode::kTooLarge, "the message has " + std::to_string(bytes.size()) +
                                          " bytes, the limit is " +
                                          std::to_string(limits.max_bytes));
  }
  if (bytes.find_first_not_of(std::string_view(" \t\r\n\0", 5)) == std::string_view::npos) {
    throw Error(ErrorCode::kInvalidArgument,
                "the message is empty: give a whole message, header and body");
  }
  return Analyse(bytes, limits, limits.max_nesting);
}

}  // namespace rebound
