#include "engine/mail/report_fields.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/text.h"
#include "engine/mail/address.h"
#include "engine/mail/mime_message.h"

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Position of the colon of "Name: value"; npos where the line is no field.
size_t NameEnd(std::string_view line) {
  const size_t most = std::min<size_t>(line.size(), 64);
  for (size_t i = 0; i < most; ++i) {
    const char c = line[i];
    if (c == ':') return i > 0 ? i : std::string_view::npos;
    const bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                      (i > 0 && (IsDigit(c) || c == '_'));
    if (!name) return std::string_view::npos;
  }
  return std::string_view::npos;
}

bool BeginsReply(std::string_view line) {
  return line.size() > 3 && (line[0] == '4' || line[0] == '5') && IsDigit(line[1]) &&
         IsDigit(line[2]) && (line[3] == '-' || line[3] == ' ');
}

bool IsKnown(std::string_view name) {
  static constexpr std::array<std::string_view, 18> kNames = {
      "reporting-mta",  "original-envelope-id", "dsn-gateway",        "received-from-mta",
      "arrival-date",   "original-recipient",   "final-recipient",    "action",
      "status",         "remote-mta",           "diagnostic-code",    "last-attempt-date",
      "final-log-id",   "will-retry-until",     "x-actual-recipient", "disposition",
      "x-display-name", "original-message-id"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void GoOn(std::string_view line, ReportField* field) {
  if (field->value.size() + line.size() > 16384) return;  // more than any reply
  if (!field->value.empty()) field->value += BeginsReply(line) ? '\n' : ' ';
  field->value += line;
}

std::string ActionOf(std::string_view value) {
  const std::string lower = AsciiLower(value);
  for (const std::string_view action : {"failed", "delayed", "delivered", "relayed", "expanded"}) {
    if (lower.find(action) != std::string::npos) return std::string(action);
  }
  if (lower.starts_with("fail")) return "failed";
  return "";
}

std::string ActionOfStatus(std::string_view status) {
  if (status.starts_with('2')) return "delivered";
  if (status.starts_with('4')) return "delayed";
  return "failed";
}

void SetDiagnostic(std::string_view value, RecipientReport* recipient) {
  const size_t semicolon = value.find(';');
  std::string_view type = Trim(value.substr(0, std::min(semicolon, value.size())));
  const bool typed = semicolon != std::string_view::npos && !type.empty() && type.size() <= 24 &&
                     type.find_first_of(" \t\n<>:") == std::string_view::npos;
  if (typed) recipient->diagnostic_type = AsciiLower(type);
  const std::string_view rest = Trim(typed ? value.substr(semicolon + 1) : value);
  recipient->diagnostic = SplitReply(DecodeWords(std::string(rest)));
}

// Takes one field of a recipient; false where it is none of its fields.
bool Take(const ReportField& field, RecipientReport* recipient) {
  const std::string_view name = field.name;
  if (name == "final-recipient") {
    recipient->recipient = AddressOfField(field.value);
  } else if (name == "x-actual-recipient") {
    if (recipient->recipient.empty()) recipient->recipient = AddressOfField(field.value);
  } else if (name == "original-recipient") {
    recipient->original_recipient = OriginalAddressOfField(field.value);
  } else if (name == "action") {
    recipient->action = ActionOf(field.value);
  } else if (name == "status") {
    recipient->status = FindStatus(field.value);
  } else if (name == "remote-mta") {
    recipient->remote_mta = HostOfField(field.value);
  } else if (name == "diagnostic-code") {
    if (recipient->diagnostic.empty()) SetDiagnostic(field.value, recipient);
  } else {
    return false;
  }
  return true;
}

bool Names(const RecipientReport& recipient) {
  return !recipient.recipient.empty() || !recipient.original_recipient.empty();
}
bool IsEmpty(const RecipientReport& recipient) {
  return !Names(recipient) && recipient.action.empty() && recipient.status.empty() &&
         recipient.diagnostic.empty();
}

void Finish(RecipientReport recipient, BounceReport* report) {
  if (IsEmpty(recipient)) return;
  if (recipient.recipient.empty()) recipient.recipient = recipient.original_recipient;
  if (recipient.action.empty()) recipient.action = ActionOfStatus(recipient.status);
  recipient.domain = DomainOfAddress(recipient.recipient);
  recipient.source = ReportSource::kDeliveryStatus;
  report->recipients.push_back(std::move(recipient));
}

// Whether `field` opens the next recipient: a blank line behind a complete one, or a name again.
bool OpensNext(const ReportField& field, const RecipientReport& current) {
  if (field.name == "final-recipient" && !current.recipient.empty()) return true;
  if (field.name == "original-recipient" && !current.original_recipient.empty()) return true;
  if (!field.begins_block || IsEmpty(current)) return false;
  if (field.name == "final-recipient" || field.name == "original-recipient") {
    return Names(current);
  }
  // A blank line in the middle of a block: what the block lacks still belongs to it.
  if (field.name == "action") return !current.action.empty();
  if (field.name == "status") return !current.status.empty();
  if (field.name == "diagnostic-code") return !current.diagnostic.empty();
  return false;
}

}  // namespace

std::vector<ReportField> ReadReportFields(std::string_view body) {
  std::vector<ReportField> fields;
  bool blank = true;
  while (!body.empty()) {
    const size_t end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty()) {
      blank = true;
      continue;
    }
    const size_t colon = NameEnd(line);
    if (colon == std::string_view::npos) {
      // Words behind a blank line are not what goes on a field.
      if (!fields.empty() && (!blank || BeginsReply(trimmed))) GoOn(trimmed, &fields.back());
      continue;
    }
    std::string name = AsciiLower(line.substr(0, colon));
    const bool in_diagnostic = !fields.empty() && fields.back().name == "diagnostic-code" && !blank;
    if (in_diagnostic && !IsKnown(name) && !name.starts_with("x-")) {
      GoOn(trimmed, &fields.back());  // "Error: ..." of a reply that was not indented
      continue;
    }
    fields.push_back({std::move(name), std::string(Trim(line.substr(colon + 1))), blank});
    blank = false;
  }
  return fields;
}

bool LooksLikeDeliveryStatus(std::string_view body) {
  const std::string head = AsciiLower(body.substr(0, 16384));
  int seen = 0;
  for (const std::string_view name :
       {"final-recipient:", "reporting-mta:", "action:", "status:", "diagnostic-code:"}) {
    if (head.starts_with(name) || head.find("\n" + std::string(name)) != std::string::npos) ++seen;
  }
  return seen >= 3;
}

void ReadDeliveryStatus(std::string_view body, size_t max_recipients, BounceReport* report) {
  RecipientReport current;
  for (const ReportField& field : ReadReportFields(body)) {
    if (field.name == "reporting-mta") {
      report->reporting_mta = HostOfField(field.value);
    } else if (field.name == "arrival-date") {
      report->arrival_date = field.value;
    } else {
      if (OpensNext(field, current)) {
        Finish(std::move(current), report);
        current = {};
        if (report->recipients.size() >= max_recipients) {
          report->truncated = true;
          return;
        }
      }
      Take(field, &current);
    }
  }
  Finish(std::move(current), report);
}

void ReadDisposition(std::string_view body, BounceReport* report) {
  RecipientReport recipient;
  recipient.source = ReportSource::kDisposition;
  for (const ReportField& field : ReadReportFields(body)) {
    if (field.name == "disposition") {
      const size_t semicolon = field.value.rfind(';');
      const size_t begin = semicolon == std::string::npos ? 0 : semicolon + 1;
      std::string_view type = std::string_view(field.value).substr(begin);
      recipient.action = AsciiLower(Trim(type.substr(0, type.find('/'))));
    } else if (field.name == "original-message-id") {
      report->original_message_id = field.value;
    } else if (field.name == "reporting-ua") {
      report->reporting_mta = HostOfField(field.value);
    } else if (field.name == "error" || field.name == "failure" || field.name == "warning") {
      recipient.diagnostic = field.value;
    } else {
      Take(field, &recipient);
    }
  }
  if (recipient.recipient.empty()) recipient.recipient = recipient.original_recipient;
  recipient.domain = DomainOfAddress(recipient.recipient);
  if (!recipient.recipient.empty() || !recipient.action.empty()) {
    report->recipients.push_back(std::move(recipient));
  }
}

void ReadFeedback(std::string_view body, size_t max_recipients, BounceReport* report) {
  std::unordered_set<std::string> known;
  for (const ReportField& field : ReadReportFields(body)) {
    if (field.name == "feedback-type") {
      report->feedback_type = AsciiLower(field.value);
    } else if (field.name == "source-ip") {
      report->source_ip = field.value;
    } else if (field.name == "arrival-date" || field.name == "received-date") {
      report->arrival_date = field.value;
    } else if (field.name == "reporting-mta") {
      report->reporting_mta = HostOfField(field.value);
    } else if (field.name == "original-rcpt-to" || field.name == "removal-recipient") {
      if (report->recipients.size() >= max_recipients) {
        report->truncated = true;
        return;
      }
      RecipientReport recipient;
      recipient.recipient = AddressOfField(field.value);
      recipient.domain = DomainOfAddress(recipient.recipient);
      recipient.source = ReportSource::kFeedback;
      if (known.insert(recipient.recipient).second) {
        report->recipients.push_back(std::move(recipient));
      }
    }
  }
}

std::string_view FindStatus(std::string_view value) {
  for (size_t i = 0; i + 4 < value.size(); ++i) {
    if ((value[i] != '2' && value[i] != '4' && value[i] != '5') || value[i + 1] != '.') continue;
    if (i > 0 && (IsDigit(value[i - 1]) || value[i - 1] == '.')) continue;
    size_t end = i + 2;
    while (end < value.size() && end < i + 5 && IsDigit(value[end])) ++end;
    if (end == i + 2 || end >= value.size() || value[end] != '.') continue;
    const size_t detail = ++end;
    while (end < value.size() && end < detail + 3 && IsDigit(value[end])) ++end;
    if (end == detail) continue;
    const bool address = end + 1 < value.size() && value[end] == '.' && IsDigit(value[end + 1]);
    if (address || (end < value.size() && IsDigit(value[end]))) continue;
    return value.substr(i, end - i);
  }
  return {};
}

std::string HostOfField(std::string_view value) {
  const size_t semicolon = value.find(';');
  const std::string type = AsciiLower(Trim(value.substr(0, std::min(semicolon, value.size()))));
  if (semicolon != std::string_view::npos && type.find_first_of(" .") == std::string::npos) {
    value.remove_prefix(semicolon + 1);
  }
  value = Trim(value);
  value = value.substr(0, value.find_first_of(" \t\n(;,"));
  while (value.ends_with('.')) value.remove_suffix(1);
  return std::string(value);
}

std::string SplitReply(std::string_view text) {
  std::string out(text);
  if (!BeginsReply(text) || text[3] != '-') return out;
  const std::string code = std::string(text.substr(0, 3));
  for (size_t at = out.find(" " + code, 4); at != std::string::npos;
       at = out.find(" " + code, at + 1)) {
    const char after = at + 4 < out.size() ? out[at + 4] : '\0';
    if (after == '-') out[at] = '\n';
    if (after == ' ') {  // the last line
      out[at] = '\n';
      break;
    }
  }
  return out;
}

}  // namespace rebound
