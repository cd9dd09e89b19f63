#include "engine/mail/report_json.h"

#include <string_view>

namespace rebound {
namespace {

void WriteText(std::string_view key, std::string_view text, JsonWriter* writer) {
  if (!text.empty()) writer->Key(key).String(text);
}

}  // namespace

void WriteReport(const BounceReport& report, JsonWriter* writer) {
  writer->Key("kind").String(MessageKindName(report.kind));
  WriteText("reason", report.reason, writer);
  WriteText("agent", report.agent, writer);
  WriteText("reporting_mta", report.reporting_mta, writer);
  WriteText("arrival_date", report.arrival_date, writer);
  WriteText("original_message_id", report.original_message_id, writer);
  WriteText("feedback_type", report.feedback_type, writer);
  WriteText("source_ip", report.source_ip, writer);
  if (report.truncated) writer->Key("truncated").Bool(true);
}

void WriteRecipient(const RecipientReport& recipient, JsonWriter* writer) {
  writer->Key("recipient").String(recipient.recipient);
  WriteText("original_recipient", recipient.original_recipient, writer);
  WriteText("domain", recipient.domain, writer);
  WriteText("action", recipient.action, writer);
  WriteText("status", recipient.status, writer);
  WriteText("diagnostic_type", recipient.diagnostic_type, writer);
  WriteText("diagnostic", recipient.diagnostic, writer);
  WriteText("remote_mta", recipient.remote_mta, writer);
  writer->Key("source").String(ReportSourceName(recipient.source));
}

}  // namespace rebound
