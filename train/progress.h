// What a run tells while it works: a bar on a terminal, plain lines elsewhere, or one JSON object a
// line on standard output for machines. Thread-compatible.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/fit.h"

namespace rebound {

enum class ProgressMode { kPlain, kBar, kJson };

class Progress {
 public:
  // `name` stands before every line: the task.
  Progress(ProgressMode mode, std::string name);
  ~Progress();

  ProgressMode mode() const { return mode_; }

  // One fact. Values that read as numbers are numbers in JSON.
  using Fields = std::vector<std::pair<std::string_view, std::string>>;
  void Tell(std::string_view event, const Fields& fields = {});
  void TellEpoch(const EpochReport& report);
  // A table for people, on standard output; nothing in JSON, where its rows were events before.
  void TellTable(const std::string& title, const std::string& table);

 private:
  void ClearBar();

  ProgressMode mode_;
  std::string name_;
  bool bar_drawn_ = false;
  std::chrono::steady_clock::time_point last_bar_;
};

// kJson where asked for, else kBar where standard error is a terminal.
ProgressMode ChooseProgressMode(bool json);

// "1:05" of seconds; "12,400" of a count; "0.9876" of a figure.
std::string ClockText(double seconds);
std::string CountText(double count);
std::string FigureText(double value);

}  // namespace rebound
