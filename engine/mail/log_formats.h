// One line of each log format. Pure but for the buffer, linear in the line, Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "engine/mail/log_line.h"

namespace rebound {

enum class LineKind { kOther, kEvent, kMalformed };

// Whether a line shows that its log is of the format; not every line of one does.
bool IsPostfixLine(std::string_view line);
bool IsEximLine(std::string_view line);

// kEvent: `*event` is filled. Views are into `line` or `*buffer`, which the call may clear first.
LineKind ReadPostfixLine(std::string_view line, LogEvent* event);
LineKind ReadEximLine(std::string_view line, LogEvent* event);
LineKind ReadPowerMtaLine(std::string_view line, CsvColumns* columns, std::string* buffer,
                          LogEvent* event);
LineKind ReadKumoMtaLine(std::string_view line, std::string* buffer, LogEvent* event);

// "mx.example.net" of "mx.example.net[192.0.2.7]:25".
std::string_view HostOfRelay(std::string_view relay);

}  // namespace rebound
