#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace rebound {
namespace {

std::atomic<LogLevel> least_level{LogLevel::kInfo};
std::atomic<LogFormat> log_format{LogFormat::kText};

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};

std::string Timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[64];
  const size_t n = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string text(buffer, n);
  const std::string fraction = std::to_string(1000 + millis % 1000);
  return text + "." + fraction.substr(1) + "Z";
}

bool IsPlain(std::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == 0x7f) return false;
  }
  return !value.empty();
}

}  // namespace

void SetLog(LogLevel least, LogFormat format) {
  least_level = least;
  log_format = format;
}

bool IsLogged(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!IsLogged(level)) return;
  const std::string_view name = kLevelNames[static_cast<size_t>(level)];
  std::string line;
  if (log_format == LogFormat::kJson) {
    JsonWriter writer(&line);
    writer.StartObject();
    writer.Key("time").String(Timestamp()).Key("level").String(name);
    writer.Key("event").String(RepairUtf8(event));
    for (const auto& [key, value] : fields) writer.Key(key).String(RepairUtf8(value));
    writer.EndObject();
  } else {
    line = Timestamp() + " " + std::string(name) + " " + std::string(event);
    for (const auto& [key, value] : fields) {
      line += " " + std::string(key) + "=";
      if (IsPlain(value)) {
        line += value;
      } else {
        AppendJsonString(RepairUtf8(value), &line);
      }
    }
  }
  line += '\n';
  // A log that cannot be written must not stop the work it tells of.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

LogLevel ParseLogLevel(std::string_view name) {
  for (size_t i = 0; i < 4; ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "log level '" + std::string(name) + "' is not one of debug, info, warning, error");
}

}  // namespace rebound
