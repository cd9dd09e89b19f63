#include "base/csv.h"

#include <utility>

namespace rebound {
namespace {
constexpr int kEnd = std::char_traits<char>::eof();
}

CsvReader::CsvReader(std::istream& input, CsvComments comments)
    : input_(input), comments_(comments) {
  for (const char c : {'\xEF', '\xBB', '\xBF'}) {
    if (input_.peek() != std::char_traits<char>::to_int_type(c)) break;
    input_.get();
  }
  input_.clear();
}

int CsvReader::Get() {
  const int c = input_.rdbuf()->sbumpc();
  if (c == '\n') ++line_;
  ++row_bytes_;
  return c;
}

void CsvReader::SkipLine() {
  for (int c = Get(); c != '\n' && c != kEnd; c = Get()) {
  }
}

// Reads behind an opening quote up to its end. False where the row is bad.
bool CsvReader::ReadQuoted(CsvRow* row, std::string* field) {
  while (true) {
    const int c = Get();
    if (c == kEnd) {
      row->fault = "a quoted field does not end";
      return false;
    }
    if (row_bytes_ > kMaxRowBytes) {
      row->fault = "the row is larger than 16 MiB: is a quote missing?";
      return false;
    }
    if (c != '"') {
      *field += static_cast<char>(c);
    } else if (input_.rdbuf()->sgetc() == '"') {
      *field += static_cast<char>(Get());
    } else {
      return true;
    }
  }
}

bool CsvReader::Next(CsvRow* row) {
  while (true) {
    *row = CsvRow();
    row->line = line_;
    row_bytes_ = 0;
    if (comments_ == CsvComments::kHash && input_.rdbuf()->sgetc() == '#') {
      SkipLine();
      continue;
    }
    std::string field;
    bool was_quoted = false, any = false;
    while (true) {
      const int c = Get();
      if (c == '"' && !was_quoted && field.empty()) {
        was_quoted = any = true;
        if (!ReadQuoted(row, &field)) {
          SkipLine();
          return true;
        }
        continue;
      }
      if (c == '\r' && input_.rdbuf()->sgetc() == '\n') continue;
      if (c == ',' || c == '\n' || c == kEnd) {
        if (c == ',') any = true;
        if (any || !field.empty()) row->fields.push_back(std::move(field));
        field.clear();
        was_quoted = false;
        if (c == ',') continue;
        if (!row->fields.empty()) return true;
        if (c == kEnd) return false;
        break;  // an empty line
      }
      if (was_quoted || c == '"' || row_bytes_ > kMaxRowBytes) {
        row->fault = was_quoted ? "text stands after a closing quote"
                     : c == '"' ? "a quote stands in a field that does not start with one"
                                : "the row is larger than 16 MiB";
        SkipLine();
        return true;
      }
      field += static_cast<char>(c);
    }
  }
}

}  // namespace rebound
