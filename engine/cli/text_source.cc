#include "engine/cli/text_source.h"

#include <algorithm>
#include <istream>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/cli/interrupt.h"

namespace rebound {
namespace {

class WordsSource : public TextSource {
 public:
  explicit WordsSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  bool Next(SourceItem* item) override {
    if (next_ == texts_.size() || IsInterrupted()) return false;
    *item = SourceItem();
    item->text = std::move(texts_[next_]);
    item->where = "text " + std::to_string(++next_);
    return true;
  }
  int64_t Position() const override { return static_cast<int64_t>(next_); }

 private:
  std::vector<std::string> texts_;
  size_t next_ = 0;
};

class LinesSource : public TextSource {
 public:
  explicit LinesSource(const std::string& path) : stream_(path), lines_(&stream_, kLongestLine) {}

  bool Next(SourceItem* item) override {
    *item = SourceItem();
    std::string_view line;
    if (!lines_.Next(&line)) return false;
    item->where = stream_.name() + ":" + std::to_string(++line_);
    if (line.size() > kLongestLine) {
      item->fault = "the line has more than " + std::to_string(kLongestLine) +
                    " bytes: give one text a line, or a message with --eml";
      return true;
    }
    item->skipped = Trim(line).empty();
    item->text = line;
    return true;
  }
  int64_t Position() const override { return stream_.position(); }
  int64_t Lines() const override { return line_; }
  bool WouldWait() const override { return lines_.WouldWait(); }

 private:
  ByteStream stream_;
  LineReader lines_;
  int64_t line_ = 0;
};

class CsvSource : public TextSource {
 public:
  CsvSource(const std::string& path, const std::string& text_column,
            const std::string& domain_column)
      : stream_(path), buffer_(&stream_), input_(&buffer_), reader_(Loud(&input_)) {
    CsvRow header;
    const std::string& name = stream_.name();
    if (!reader_.Next(&header)) Refuse(name + " is empty: its first line must name the columns");
    if (!header.fault.empty()) Refuse(name + ":1: " + header.fault);
    columns_ = header.fields;
    text_ = Find(text_column);
    if (!domain_column.empty()) domain_ = Find(domain_column);
  }

  bool Next(SourceItem* item) override {
    CsvRow row;
    if (IsInterrupted() || !reader_.Next(&row)) return false;
    ++rows_;
    *item = SourceItem();
    item->where = stream_.name() + ":" + std::to_string(row.line);
    item->fault = row.fault;
    if (item->fault.empty() && row.fields.size() != columns_.size()) {
      item->fault = std::to_string(row.fields.size()) + " columns, the first line names " +
                    std::to_string(columns_.size());
    }
    if (!item->fault.empty()) return true;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (domain_ && *domain_ == i) item->domain = row.fields[i];
      if (i == text_) {
        item->text = std::move(row.fields[i]);
      } else {
        item->fields.push_back({columns_[i], std::move(row.fields[i])});
      }
    }
    return true;
  }
  int64_t Position() const override { return stream_.position(); }
  int64_t Lines() const override { return rows_; }
  bool WouldWait() const override { return input_.rdbuf()->in_avail() <= 0 && stream_.WouldWait(); }
  std::vector<std::string> Columns() const override {
    std::vector<std::string> columns;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i != text_) columns.push_back(columns_[i]);
    }
    return columns;
  }

 private:
  // What the stream throws passes through the istream.
  static std::istream& Loud(std::istream* input) {
    input->exceptions(std::ios::badbit);
    return *input;
  }
  [[noreturn]] static void Refuse(const std::string& why) {
    throw Error(ErrorCode::kInvalidArgument, why);
  }
  size_t Find(const std::string& column) const {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
    std::string names;
    for (const std::string& name : columns_) names += (names.empty() ? "" : ", ") + name;
    Refuse(stream_.name() + " has no column '" + column + "'; it has " + names);
  }

  ByteStream stream_;
  ByteStreamBuffer buffer_;
  std::istream input_;
  CsvReader reader_;
  std::vector<std::string> columns_;
  size_t text_ = 0;
  std::optional<size_t> domain_;
  int64_t rows_ = 0;
};

}  // namespace

std::string FaultOf(const SourceItem& item) {
  const bool is_told = item.fault.find(item.where) != std::string::npos;
  return is_told ? item.fault : item.where + ": " + item.fault;
}

std::unique_ptr<TextSource> MakeWordsSource(std::vector<std::string> texts) {
  return std::make_unique<WordsSource>(std::move(texts));
}

std::unique_ptr<TextSource> MakeLinesSource(const std::string& path) {
  return std::make_unique<LinesSource>(path);
}

std::unique_ptr<TextSource> MakeCsvSource(const std::string& path, const std::string& text_column,
                                          const std::string& domain_column) {
  return std::make_unique<CsvSource>(path, text_column, domain_column);
}

}  // namespace rebound
