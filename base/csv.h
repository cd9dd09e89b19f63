// CSV by RFC 4180, read as a stream: quoted fields with commas, line breaks and doubled quotes; LF
// or CRLF; a byte order mark is skipped. Strict: a quote inside an unquoted field or text after a
// closing quote makes a row bad, never a guess. (libcsv and fast-cpp-csv-parser, which Debian has,
// guess or cannot read line breaks in fields.) Lines of comment, which start with #, are passed
// over where asked for; the RFC knows none. Thread-compatible.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace rebound {

struct CsvRow {
  int64_t line = 0;  // where it starts, from 1
  std::vector<std::string> fields;
  std::string fault;  // why the row is bad; empty: it is good
};

enum class CsvComments : uint8_t { kNone, kHash };

class CsvReader {
 public:
  static constexpr size_t kMaxRowBytes = size_t{16} << 20;

  explicit CsvReader(std::istream& input, CsvComments comments = CsvComments::kNone);

  // The next row that is not empty; false at the end. After a bad row reading goes on at the next
  // line.
  bool Next(CsvRow* row);

 private:
  int Get();
  bool ReadQuoted(CsvRow* row, std::string* field);
  void SkipLine();

  std::istream& input_;
  CsvComments comments_;
  int64_t line_ = 1;
  size_t row_bytes_ = 0;
};

}  // namespace rebound
