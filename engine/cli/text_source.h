// Where `rebound classify` has its texts from: words of the command line, lines, a column of CSV,
// messages, logs. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/cli/byte_stream.h"

namespace rebound {

inline constexpr size_t kLongestLine = size_t{1} << 20;

// What the source knows beside the text: a column of CSV, the recipient of a report.
struct SourceField {
  enum class Kind : uint8_t { kText, kOptional, kNumber };
  std::string name;
  std::string value;
  Kind kind = Kind::kText;  // in JSON: kOptional is left out where it is empty, kNumber no string
};

// One text on its way to an answer.
struct SourceItem {
  std::string text;    // as it came
  std::string domain;  // the recipient's; empty: not told
  std::vector<SourceField> fields;
  std::string shown;     // stands before the text in the table: recipient, action, status
  bool mdn = false;      // overrides: of a message that came back, not an SMTP reply
  std::string where;     // "bounces.csv:17": for messages
  std::string fault;     // why there is no text; empty: there is one
  std::string note;      // why there is no bounce to classify, which is no fault
  std::string warning;   // about the input, for people
  bool skipped = false;  // there is none and need not be one: a blank line; the rest may be old
};

// What is wrong with it, for people: where and why.
std::string FaultOf(const SourceItem& item);

// What became of a log's deliveries.
struct LogTotals {
  struct Of {
    int64_t delivered = 0;
    int64_t bounced = 0;
    int64_t deferred = 0;
  };
  struct Bad {
    std::string file;
    uint64_t line = 0;
  };
  static constexpr size_t kMostDomains = 100'000;
  static constexpr size_t kFirstBad = 10;

  uint64_t lines = 0;
  Of all;
  uint64_t other = 0;      // lines that are no deliveries
  uint64_t malformed = 0;  // lines that begin like one and cannot be read
  std::vector<Bad> first_malformed;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // By recipient domain, lower case; those that come after kMostDomains others are not kept apart.
  std::unordered_map<std::string, Of, Hash, std::equal_to<>> by_domain;
};

class TextSource {
 public:
  virtual ~TextSource() = default;
  // False at the end, and once IsInterrupted. `item` is as a new one but may have old fields.
  virtual bool Next(SourceItem* item) = 0;
  // Bytes of the input and lines of it that were read so far, for the progress line.
  virtual int64_t Position() const = 0;
  virtual int64_t Lines() const { return 0; }
  // Whether Next may have to wait for a pipe: then what is ready is to be shown before.
  virtual bool WouldWait() const { return false; }
  // The names of the fields, the same for every item.
  virtual std::vector<std::string> Columns() const { return {}; }
  // Null where the source is no log.
  virtual const LogTotals* Totals() const { return nullptr; }
};

std::unique_ptr<TextSource> MakeWordsSource(std::vector<std::string> texts);

// A text a line; blank lines are skipped, one of more than kLongestLine bytes is a fault. "-":
// standard input. Throws as ByteStream does.
std::unique_ptr<TextSource> MakeLinesSource(const std::string& path);

// The column `text_column` of CSV whose first line names the columns; `domain_column` may be empty.
// The other columns come along as fields. Throws kInvalidArgument where a column is not there.
std::unique_ptr<TextSource> MakeCsvSource(const std::string& path, const std::string& text_column,
                                          const std::string& domain_column);

// Whole messages, an item a recipient; a file that begins with a "From " line is an mbox of many.
// What is no bounce is a note (with its text where rules for messages may speak of it), what cannot
// be read a fault, and the other files go on.
std::unique_ptr<TextSource> MakeMessageSource(std::vector<std::string> paths);

// Deliveries of mail logs, files one after the other, each of the format by that name
// (MailLogFormat). Bounced and deferred ones are texts; delivered ones are counted, and notes where
// `all`. A file that cannot be read is a fault, and the others go on. Throws kInvalidArgument for
// an unknown format.
std::unique_ptr<TextSource> MakeLogSource(const std::string& format, std::vector<std::string> paths,
                                          bool all);

}  // namespace rebound
