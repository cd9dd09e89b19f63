#include "engine/mail/csv_columns.h"

#include <cstring>
#include <utility>

#include "base/text.h"

namespace rebound {
namespace {

constexpr auto kNames = std::to_array<std::pair<std::string_view, CsvColumns::Column>>({
    {"type", CsvColumns::kType},
    {"timelogged", CsvColumns::kTime},
    {"rcpt", CsvColumns::kRecipient},
    {"recipient", CsvColumns::kRecipient},
    {"dsnstatus", CsvColumns::kStatus},
    {"dsndiag", CsvColumns::kDiagnostic},
    {"dsnmta", CsvColumns::kMta},
    {"envid", CsvColumns::kId},
    {"messageid", CsvColumns::kId},
    {"jobid", CsvColumns::kId},
});

// Splits a line into at most N views; the number of fields, or 0 where it has more or a quote
// stays open. `*buffer` never grows while views into it live: no field is longer than the line.
template <size_t N>
size_t SplitCsv(std::string_view line, std::string* buffer, std::array<std::string_view, N>* out) {
  buffer->clear();
  if (buffer->capacity() < line.size()) buffer->reserve(line.size());
  size_t count = 0;
  size_t at = 0;
  while (true) {
    if (count == N) return 0;
    if (at < line.size() && line[at] == '"') {
      const size_t begin = ++at;
      const size_t first = buffer->size();
      bool doubled = false;
      size_t from = begin;
      while (true) {
        const size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) return 0;
        at = quote + 1;
        if (at < line.size() && line[at] == '"') {
          buffer->append(line, from, at - from);
          from = ++at;
          doubled = true;
          continue;
        }
        if (doubled) buffer->append(line, from, quote - from);
        (*out)[count++] =
            doubled ? std::string_view(*buffer).substr(first) : line.substr(begin, quote - begin);
        break;
      }
      if (at < line.size() && line[at] != ',') return 0;
    } else {
      const char* comma =
          static_cast<const char*>(std::memchr(line.data() + at, ',', line.size() - at));
      const size_t end = comma == nullptr ? line.size() : static_cast<size_t>(comma - line.data());
      (*out)[count++] = line.substr(at, end - at);
      at = end;
    }
    if (at >= line.size()) return count;
    ++at;
  }
}

}  // namespace

bool CsvColumns::ReadHeader(std::string_view line) {
  std::string buffer;
  std::array<std::string_view, kMostFields> names;
  const size_t fields = SplitCsv(line, &buffer, &names);
  std::array<size_t, kColumns> where;
  where.fill(kNowhere);
  for (size_t i = 0; i < fields; ++i) {
    const std::string name = AsciiLower(Trim(names[i]));
    for (const auto& [known, column] : kNames) {
      if (name == known && where[column] == kNowhere) where[column] = i;
    }
  }
  if (where[kType] == kNowhere || where[kRecipient] == kNowhere) return false;
  where_ = where;
  fields_ = fields;
  return true;
}

bool CsvColumns::Read(std::string_view line, std::string* buffer) {
  return SplitCsv(line, buffer, &values_) == fields_;
}

}  // namespace rebound
