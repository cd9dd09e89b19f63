// PowerMTA's accounting files: CSV under a header that names the columns.
#include "base/text.h"
#include "engine/mail/log_formats.h"
#include "engine/mail/report_fields.h"

namespace rebound {

LineKind ReadPowerMtaLine(std::string_view line, CsvColumns* columns, std::string* buffer,
                          LogEvent* event) {
  if (line.starts_with("type,") || line.starts_with("\"type\",")) {
    return columns->ReadHeader(line) ? LineKind::kOther : LineKind::kMalformed;
  }
  if (!columns->known() || !columns->Read(line, buffer)) return LineKind::kMalformed;
  const std::string_view type = columns->Get(CsvColumns::kType);
  if (type == "b" || type == "rb") {  // rb: a bounce that came back as a message
    event->outcome = LogOutcome::kBounced;
  } else if (type == "d") {
    event->outcome = LogOutcome::kDelivered;
  } else if (type == "t" || type == "tq") {
    event->outcome = LogOutcome::kDeferred;
  } else {
    return LineKind::kOther;
  }
  event->recipient = Trim(columns->Get(CsvColumns::kRecipient));
  event->time = columns->Get(CsvColumns::kTime);
  event->queue_id = columns->Get(CsvColumns::kId);
  const std::string_view status = columns->Get(CsvColumns::kStatus);
  event->dsn = FindStatus(status);
  std::string_view text = columns->Get(CsvColumns::kDiagnostic);
  const size_t semicolon = text.substr(0, 24).find(';');  // "smtp;550 ..."
  if (semicolon != std::string_view::npos &&
      text.substr(0, semicolon).find(' ') == std::string_view::npos) {
    text.remove_prefix(semicolon + 1);
  }
  event->text = Trim(text);
  if (event->text.empty()) event->text = status;
  const std::string_view mta = columns->Get(CsvColumns::kMta);
  event->host = mta.substr(0, mta.find_first_of(" ("));
  // Queue events (tq) tell of a queue, not of a recipient.
  if (event->recipient.empty()) return type == "tq" ? LineKind::kOther : LineKind::kMalformed;
  return LineKind::kEvent;
}

}  // namespace rebound
