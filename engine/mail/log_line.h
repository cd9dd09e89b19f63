// From the lines of a mail server's log to what became of each delivery. Streaming: one line at a
// time, nothing kept between lines but what a format's header says. docs/logs.md has the formats.
//
//   LogReader reader(ParseLogFormat("auto"));
//   while (std::getline(in, line)) {
//     if (const std::optional<LogEvent> event = reader.Parse(line)) Use(*event);
//   }
//   reader.Finish();
//
// Parse allocates nothing once its buffers have grown to the longest line. Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/mail/csv_columns.h"

namespace rebound {

enum class MailLogFormat : uint8_t { kAuto, kPostfix, kExim, kPowerMta, kKumoMta };
// "auto", "postfix", "exim", "powermta", "kumomta", in the order of MailLogFormat.
std::span<const std::string_view> LogFormatNames();
std::string_view LogFormatName(MailLogFormat format);
// Throws kInvalidArgument where there is no such format; it names them all.
MailLogFormat ParseLogFormat(std::string_view name);

enum class LogOutcome : uint8_t { kDelivered, kBounced, kDeferred };
// Its wire value: "delivered", "bounced", "deferred".
std::string_view LogOutcomeName(LogOutcome outcome);

// Views into the line or the reader: valid until the next Parse. Bytes are as the log has them,
// perhaps no UTF-8. What a line does not tell is empty.
struct LogEvent {
  LogOutcome outcome = LogOutcome::kDelivered;
  std::string_view recipient;  // "user@example.com"
  std::string_view domain;     // of the recipient, as written
  std::string_view host;       // the remote server: name, or address where it has none
  std::string_view text;       // what to classify; of a delivery what the server answered
  std::string_view dsn;        // "5.1.1"
  std::string_view time;       // as the log writes it
  std::string_view queue_id;
  uint32_t more_recipients = 0;  // KumoMTA: further ones of the same line
};

struct LogCounts {
  static constexpr size_t kFirstLines = 10;
  uint64_t lines = 0;
  uint64_t delivered = 0;
  uint64_t bounced = 0;
  uint64_t deferred = 0;
  uint64_t other = 0;      // lines that are no deliveries
  uint64_t malformed = 0;  // lines that begin like one and cannot be read
  std::array<uint64_t, kFirstLines> first_malformed{};  // their numbers, from 1; 0 behind the last

  uint64_t deliveries() const { return delivered + bounced + deferred; }
};

class LogReader {
 public:
  // Lines of no format that kAuto bears before it gives up.
  static constexpr uint64_t kAutoLines = 1000;
  // Longer lines are malformed.
  static constexpr size_t kLongestLine = size_t{1} << 20;

  explicit LogReader(MailLogFormat format = MailLogFormat::kAuto) : format_(format) {}

  // `line` without its LF; a CR at its end is dropped. nullopt where it is no delivery. kAuto
  // takes the format of the first line that has one. Throws kInvalidArgument after kAutoLines
  // lines of none.
  std::optional<LogEvent> Parse(std::string_view line);

  // At the end of the log. Throws kInvalidArgument where kAuto never knew the format of any line
  // that was not blank, or PowerMTA's header line never came.
  void Finish() const;

  MailLogFormat format() const { return format_; }  // kAuto: not known yet
  const LogCounts& counts() const { return counts_; }

 private:
  MailLogFormat format_;
  LogCounts counts_;
  uint64_t unknown_ = 0;
  CsvColumns columns_;
  std::string buffer_;
};

}  // namespace rebound
