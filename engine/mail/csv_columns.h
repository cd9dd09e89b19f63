// The columns of a PowerMTA accounting file: which of them holds what, and the fields of a line.
// Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace rebound {

class CsvColumns {
 public:
  enum Column : size_t { kType, kTime, kRecipient, kStatus, kDiagnostic, kMta, kId, kColumns };
  static constexpr size_t kMostFields = 128;

  // "type,timeLogged,...": columns in any order, names without case. False where it lacks `type`
  // or `rcpt`; the old columns then stay.
  bool ReadHeader(std::string_view line);
  bool known() const { return fields_ > 0; }

  // Splits a line (RFC 4180). `*buffer` holds fields that had doubled quotes. False where the line
  // has another number of fields than the header, or an open quote.
  bool Read(std::string_view line, std::string* buffer);
  // REQUIRES: Read was true. Empty where the header has no such column.
  std::string_view Get(Column column) const {
    return where_[column] == kNowhere ? std::string_view() : values_[where_[column]];
  }

 private:
  static constexpr size_t kNowhere = kMostFields;
  std::array<size_t, kColumns> where_{};
  std::array<std::string_view, kMostFields> values_;
  size_t fields_ = 0;
};

}  // namespace rebound
