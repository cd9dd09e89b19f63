// Where `rebound classify` has its texts from: words of the command line, lines, a column of CSV.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rebound {

// One text on its way to an answer.
struct SourceItem {
  std::string text;    // as it came
  std::string domain;  // the recipient's; empty: not told
  // What the source knows beside, by name: columns of CSV, recipient and status of a report.
  std::vector<std::pair<std::string, std::string>> fields;
  bool mdn = false;      // a disposition notification, not an SMTP reply
  std::string where;     // "bounces.csv:17": for messages
  std::string fault;     // why there is no text; empty: there is one
  bool skipped = false;  // there is none and need not be one: a blank line
};

class TextSource {
 public:
  virtual ~TextSource() = default;
  // False at the end.
  virtual bool Next(SourceItem* item) = 0;
  // Bytes that were read so far, for the progress line.
  virtual int64_t Position() const = 0;
};

std::unique_ptr<TextSource> MakeWordsSource(std::vector<std::string> texts);

// A text a line; blank lines are skipped. `input` must outlive the source.
std::unique_ptr<TextSource> MakeLinesSource(std::istream* input, std::string name);

// The column `text_column` of CSV whose first line names the columns; `domain_column` may be empty.
// The other columns come along as fields. Throws kInvalidArgument where a column is not there.
std::unique_ptr<TextSource> MakeCsvSource(std::istream* input, std::string name,
                                          const std::string& text_column,
                                          const std::string& domain_column);

}  // namespace rebound
