// One line a fact on standard error: time, level, event, key=value pairs (or one JSON object).
//
// Thread-safe. A line is written with one write(2), so lines of processes do not mix. Nothing a
// client sends is logged above debug; keys, texts and addresses of people never are.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace rebound {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

using LogField = std::pair<std::string_view, std::string>;

// Set before threads start; the default is kInfo, kText.
void SetLog(LogLevel least, LogFormat format = LogFormat::kText);
bool IsLogged(LogLevel level);

// Log(LogLevel::kInfo, "model loaded", {{"task", "bnac"}, {"version", "7"}});
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// "debug", "info", "warning", "error"; throws kInvalidArgument for another.
LogLevel ParseLogLevel(std::string_view name);

}  // namespace rebound
