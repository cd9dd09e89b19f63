#include "train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "base/json.h"

namespace rebound {
namespace {

bool ReadsAsNumber(const std::string& text) {
  double value = 0.0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return !text.empty() && result.ec == std::errc() && result.ptr == end && std::isfinite(value) &&
         (text.size() < 2 || text[0] != '0' || text[1] == '.') && text[0] != '.';
}

// One write for a line, so that lines of parallel tasks do not mix.
void WriteLine(std::ostream& stream, std::string line) {
  line += '\n';
  stream << line << std::flush;
}

}  // namespace

std::string ClockText(double seconds) {
  const auto whole = static_cast<long>(std::max(0.0, std::round(seconds)));
  char text[32];
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

std::string CountText(double count) {
  std::string digits = std::to_string(std::llround(std::max(0.0, count)));
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string FigureText(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

ProgressMode ChooseProgressMode(bool json) {
  if (json) return ProgressMode::kJson;
  return isatty(STDERR_FILENO) != 0 ? ProgressMode::kBar : ProgressMode::kPlain;
}

Progress::Progress(ProgressMode mode, std::string name) : mode_(mode), name_(std::move(name)) {}
Progress::~Progress() { ClearBar(); }

void Progress::ClearBar() {
  if (bar_drawn_) std::cerr << "\r\x1b[K" << std::flush;
  bar_drawn_ = false;
}

void Progress::Tell(std::string_view event, const Fields& fields) {
  if (mode_ == ProgressMode::kJson) {
    std::string line;
    JsonWriter(&line).Object([&](JsonWriter& w) {
      w.Key("event").String(event).Key("task").String(name_);
      for (const auto& [key, value] : fields) {
        w.Key(key);
        if (ReadsAsNumber(value)) {
          w.Raw(value);
        } else if (value == "true" || value == "false") {
          w.Bool(value == "true");
        } else {
          w.String(value);
        }
      }
    });
    WriteLine(std::cout, line);
    return;
  }
  ClearBar();
  std::string line = name_ + ": " + std::string(event);
  for (const auto& [key, value] : fields) line += "  " + std::string(key) + " " + value;
  WriteLine(std::cerr, line);
}

void Progress::TellTable(const std::string& title, const std::string& table) {
  if (mode_ == ProgressMode::kJson || table.empty()) return;
  ClearBar();
  std::cout << name_ + ": " + title + "\n" + table << std::flush;
}

void Progress::TellEpoch(const EpochReport& report) {
  if (report.finished) {
    Fields fields = {{"network", report.network},
                     {"epoch", std::to_string(report.epoch)},
                     {"epochs", std::to_string(report.epochs)},
                     {"loss", FigureText(report.loss)}};
    if (report.judged) {
      fields.emplace_back("calibration_accuracy", FigureText(report.accuracy));
      fields.emplace_back("calibration_macro_f1", FigureText(report.macro_f1));
    }
    fields.emplace_back("samples_per_second",
                        std::to_string(std::llround(report.samples_per_second)));
    fields.emplace_back("seconds_left", std::to_string(std::llround(report.seconds_left)));
    Tell("epoch", fields);
    return;
  }
  if (mode_ != ProgressMode::kBar) return;
  const auto now = std::chrono::steady_clock::now();
  if (bar_drawn_ && now - last_bar_ < std::chrono::milliseconds(100)) return;
  last_bar_ = now;
  constexpr size_t kWidth = 30;
  const size_t filled = report.rows == 0 ? 0 : kWidth * report.rows_done / report.rows;
  std::string bar = "\r" + name_ + ": " + report.network + " epoch " +
                    std::to_string(report.epoch) + "/" + std::to_string(report.epochs) + " [" +
                    std::string(filled, '#') + std::string(kWidth - filled, '.') + "] " +
                    CountText(report.samples_per_second) + " samples/s, at most " +
                    ClockText(report.seconds_left) + " left\x1b[K";
  std::cerr << bar << std::flush;
  bar_drawn_ = true;
}

}  // namespace rebound
