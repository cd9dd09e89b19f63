// How `rebound classify` shows its answers: a table for people, JSON Lines or CSV for programs, and
// counts at the end. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "engine/answer.h"
#include "engine/cli/text_source.h"

namespace rebound {

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // `text`: what was asked about.
  virtual void Write(const SourceItem& item, std::string_view text, const Answer& answer) = 0;
  // What has no answer: item.fault says why. Nothing where the sink has no place for it.
  virtual void WriteFault(const SourceItem& /*item*/) {}
  virtual void Finish() {}
};

// A line a text; `colours` by what the action asks for. `width`: columns of the terminal, 0: any.
std::unique_ptr<ResultSink> MakeTableSink(std::ostream* out, bool colours, size_t width);

// An object a line: `message`, the source's own fields, then those of a result of /v3/classify.
// `policy` must outlive the sink.
std::unique_ptr<ResultSink> MakeJsonSink(std::ostream* out, const BackoffPolicy* policy);

// The source's columns, then the answer's. A cell that a spreadsheet would run as a formula is
// written with a quote before it.
std::unique_ptr<ResultSink> MakeCsvSink(std::ostream* out);

// How often each label, bnac and backoff class was answered.
class Summary {
 public:
  void Count(const Answer& answer);
  void Print(std::ostream* out) const;
  int64_t texts() const { return texts_; }

 private:
  int64_t texts_ = 0;
  std::array<std::map<std::string_view, int64_t>, kTaskCount> counts_;
};

}  // namespace rebound
