// What a run of `rebound classify` saw: counts by class, and of a log what became of its
// deliveries. Thread-compatible; each thread has its own, added up at the end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "engine/answer.h"
#include "engine/cli/text_source.h"

namespace rebound {

class Summary {
 public:
  void Count(const Answer& answer);
  void CountNote() { ++notes_; }
  void CountFault() { ++faults_; }
  void Add(const Summary& other);

  int64_t texts() const { return texts_; }

  // For people. `totals` of a log, or null.
  void Print(const LogTotals* totals, bool is_interrupted, std::ostream* out) const;
  // {"summary":{...}} on a line; docs/command-line.md has its keys.
  void PrintJson(const LogTotals* totals, bool is_interrupted, std::ostream* out) const;

 private:
  int64_t texts_ = 0;
  int64_t notes_ = 0;
  int64_t faults_ = 0;
  std::array<std::vector<int64_t>, kTaskCount> by_label_;
  std::array<int64_t, kFaultCount> by_fault_{};
  std::array<int64_t, kSuppressCount> by_suppress_{};
  std::map<std::string, int64_t, std::less<>> by_provider_;
};

}  // namespace rebound
