#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "datasource/read_guard.h"
#include "datasource/sources.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

// "3" as position 2; nullopt for a name.
std::optional<size_t> PositionOf(std::string_view column) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error != std::errc() || end != column.data() + column.size() || number == 0) {
    return std::nullopt;
  }
  return number - 1;
}

// A file, and which of its columns: empty for all.
struct CsvQuery {
  fs::path file;
  std::vector<std::string> columns;

  bool has_names() const {
    return std::any_of(columns.begin(), columns.end(),
                       [](const std::string& column) { return !PositionOf(column); });
  }
};

// The place of each wanted column in a row.
std::vector<size_t> Positions(const CsvQuery& query, const std::vector<std::string>& header) {
  std::vector<size_t> positions;
  for (const std::string& column : query.columns) {
    if (const auto position = PositionOf(column)) {
      positions.push_back(*position);
      continue;
    }
    const auto found = std::find_if(header.begin(), header.end(),
                                    [&](const std::string& name) { return Trim(name) == column; });
    if (found == header.end()) {
      Refuse(query.file.string() + " has no column '" + column +
             "': the first line must name the columns, or give their numbers");
    }
    positions.push_back(static_cast<size_t>(found - header.begin()));
  }
  return positions;
}

class CsvDatasource final : public Datasource {
 public:
  CsvDatasource(std::string path, DatasourceLimits limits)
      : path_(std::move(path)), limits_(limits) {}

  void Read(std::string_view text, size_t columns, const Row& row) override {
    ReadGuard guard(limits_, description());
    const CsvQuery query = ParseQuery(text);
    if (!query.columns.empty()) guard.CheckColumns(query.columns.size(), columns);
    std::istringstream input(ReadWhole(query.file));
    CsvReader reader(input, CsvComments::kHash);
    CsvRow line;
    std::vector<size_t> positions;
    for (bool first = true; reader.Next(&line); first = false) {
      const std::string place = query.file.string() + ", line " + std::to_string(line.line);
      if (!line.fault.empty()) Refuse(place + ": " + line.fault);
      if (first) {
        positions = Positions(query, line.fields);
        if (query.has_names()) continue;
      }
      TellRow(line, positions, columns, place, &guard, row);
    }
  }

  std::string description() const override { return "CSV " + path_.string(); }

 private:
  // For a folder "file" or "file?columns", for a file "" or "columns".
  CsvQuery ParseQuery(std::string_view text) const {
    CsvQuery query;
    std::error_code error;
    std::string_view columns = Trim(text);
    if (fs::is_directory(path_, error)) {
      const size_t mark = columns.find('?');
      const fs::path name = Trim(columns.substr(0, mark));
      const bool leaves = std::find(name.begin(), name.end(), "..") != name.end();
      if (name.empty() || name.is_absolute() || leaves) {
        Refuse("the query to " + description() +
               " must name a file in that folder, such as rules.csv or "
               "rules.csv?domain,bounce_code,rule");
      }
      query.file = path_ / name;
      columns = mark == columns.npos ? "" : columns.substr(mark + 1);
    } else {
      query.file = path_;
    }
    if (columns.empty()) return query;
    for (const std::string_view column : Split(columns, ',')) {
      query.columns.emplace_back(Trim(column));
      if (query.columns.back().empty()) {
        Refuse("the query to " + description() +
               " has an empty column: list numbers (from 1) or names, such as 1,2,3 or "
               "domain,bounce_code,rule");
      }
    }
    return query;
  }

  std::string ReadWhole(const fs::path& file) const {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    // A pipe would be waited for without end.
    if (fs::exists(status) && !fs::is_regular_file(status)) {
      Refuse(file.string() + " is no regular file");
    }
    return ReadFile(file, limits_.max_bytes);
  }

  static void TellRow(const CsvRow& line, const std::vector<size_t>& positions, size_t columns,
                      const std::string& place, ReadGuard* guard, const Row& row) {
    std::vector<std::string_view> fields;
    if (positions.empty()) {
      if (line.fields.size() != columns) {
        Refuse(place + ": " + std::to_string(line.fields.size()) + " columns where " +
               std::to_string(columns) + " are wanted");
      }
      fields.assign(line.fields.begin(), line.fields.end());
    }
    for (const size_t position : positions) {
      if (position >= line.fields.size()) {
        Refuse(place + ": no column " + std::to_string(position + 1));
      }
      fields.push_back(line.fields[position]);
    }
    guard->Tell(fields, row);
  }

  const fs::path path_;
  const DatasourceLimits limits_;
};

}  // namespace

std::unique_ptr<Datasource> MakeCsvDatasource(const std::string& path, DatasourceLimits limits) {
  return std::make_unique<CsvDatasource>(path, limits);
}

}  // namespace rebound
