#include "engine/mail/log_line.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "engine/mail/log_formats.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 5> kFormats = {"auto", "postfix", "exim", "powermta",
                                                      "kumomta"};
constexpr std::array<std::string_view, 3> kOutcomes = {"delivered", "bounced", "deferred"};

std::string AllFormats() {
  std::string out;
  for (const std::string_view name : kFormats) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

std::string_view DomainIn(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// `columns` takes the header where the line is PowerMTA's.
MailLogFormat FormatOf(std::string_view line, CsvColumns* columns) {
  if (line.starts_with('{')) return MailLogFormat::kKumoMta;
  if (AsciiLower(line.substr(0, 6)).find("type") <= 1 && columns->ReadHeader(line)) {
    return MailLogFormat::kPowerMta;
  }
  if (IsEximLine(line)) return MailLogFormat::kExim;
  return IsPostfixLine(line) ? MailLogFormat::kPostfix : MailLogFormat::kAuto;
}

}  // namespace

std::span<const std::string_view> LogFormatNames() { return kFormats; }
std::string_view LogFormatName(MailLogFormat format) {
  return kFormats[static_cast<size_t>(format)];
}
std::string_view LogOutcomeName(LogOutcome outcome) {
  return kOutcomes[static_cast<size_t>(outcome)];
}

MailLogFormat ParseLogFormat(std::string_view name) {
  const auto at = std::find(kFormats.begin(), kFormats.end(), name);
  if (at == kFormats.end()) {
    throw Error(ErrorCode::kInvalidArgument,
                "no log format '" + std::string(name) + "': it is one of " + AllFormats());
  }
  return static_cast<MailLogFormat>(at - kFormats.begin());
}

std::optional<LogEvent> LogReader::Parse(std::string_view line) {
  ++counts_.lines;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (counts_.lines == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (IsBlank(line)) {
    ++counts_.other;
    return std::nullopt;
  }
  if (format_ == MailLogFormat::kAuto) {
    format_ = FormatOf(line, &columns_);
    if (format_ == MailLogFormat::kAuto && ++unknown_ >= kAutoLines) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the first " + std::to_string(kAutoLines) +
                      " lines are of no known log format: name it, one of " + AllFormats());
    }
  }
  LogEvent event;
  LineKind kind = LineKind::kOther;
  if (line.size() > kLongestLine) {
    kind = LineKind::kMalformed;
  } else if (format_ == MailLogFormat::kPostfix) {
    kind = ReadPostfixLine(line, &event);
  } else if (format_ == MailLogFormat::kExim) {
    kind = ReadEximLine(line, &event);
  } else if (format_ == MailLogFormat::kPowerMta) {
    kind = ReadPowerMtaLine(line, &columns_, &buffer_, &event);
  } else if (format_ == MailLogFormat::kKumoMta) {
    kind = ReadKumoMtaLine(line, &buffer_, &event);
  }
  if (kind == LineKind::kMalformed) {
    if (counts_.malformed < LogCounts::kFirstLines) {
      counts_.first_malformed[counts_.malformed] = counts_.lines;
    }
    ++counts_.malformed;
  }
  if (kind == LineKind::kOther) ++counts_.other;
  if (kind != LineKind::kEvent) return std::nullopt;
  event.domain = DomainIn(event.recipient);
  if (event.outcome == LogOutcome::kDelivered) ++counts_.delivered;
  if (event.outcome == LogOutcome::kBounced) ++counts_.bounced;
  if (event.outcome == LogOutcome::kDeferred) ++counts_.deferred;
  return event;
}

void LogReader::Finish() const {
  if (format_ == MailLogFormat::kAuto && unknown_ > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "no line is of a known log format: name it, one of " + AllFormats());
  }
  if (format_ == MailLogFormat::kPowerMta && !columns_.known() && counts_.malformed > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "the accounting file has no header line that names its columns (type, rcpt, "
                "dsnStatus, dsnDiag, ...): put it before the records");
  }
}

}  // namespace rebound
