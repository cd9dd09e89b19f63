// How `rebound classify` shows its answers: a table for people, JSON Lines or CSV for programs.
// Each appends whole lines to a text; nothing is kept between them. Immutable, Thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/answer.h"
#include "engine/cli/text_source.h"

namespace rebound {

class ResultRows {
 public:
  virtual ~ResultRows() = default;
  // The line above the first one; `columns` are the source's.
  virtual void Head(std::span<const std::string> columns, std::string* out) const = 0;
  // `text`: what was asked about.
  virtual void Write(const SourceItem& item, std::string_view text, const Answer& answer,
                     std::string* out) const = 0;
  // What is no bounce: item.note says why. `text` may be empty.
  virtual void WriteNote(const SourceItem& item, std::string_view text, std::string* out) const = 0;
  // What cannot be read: item.fault says why. Nothing where there is no place for it.
  virtual void WriteFault(const SourceItem& /*item*/, std::string* /*out*/) const {}
};

// A line a text; `colours` by what the action asks for. `width`: columns of the terminal, 0: any.
// Where they are few, suppress is left out.
std::unique_ptr<ResultRows> MakeTableRows(bool colours, size_t width);

// An object a line: `message`, the source's own fields, then those of a result of /v3/classify.
// `policy` must outlive the rows.
std::unique_ptr<ResultRows> MakeJsonRows(const BackoffPolicy* policy);

// The source's columns, then the answer's. A cell that a spreadsheet would run as a formula is
// written with a quote before it; on a terminal cells are as OneLine has them.
std::unique_ptr<ResultRows> MakeCsvRows(bool is_terminal);

}  // namespace rebound
