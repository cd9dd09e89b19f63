#include "engine/cli/text_source.h"

#include <algorithm>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

class WordsSource : public TextSource {
 public:
  explicit WordsSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  bool Next(SourceItem* item) override {
    if (next_ == texts_.size()) return false;
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
  LinesSource(std::istream* input, std::string name) : input_(*input), name_(std::move(name)) {}

  bool Next(SourceItem* item) override {
    *item = SourceItem();
    if (!std::getline(input_, item->text)) return false;
    position_ += static_cast<int64_t>(item->text.size()) + 1;
    item->where = name_ + ":" + std::to_string(++line_);
    item->skipped = Trim(item->text).empty();
    return true;
  }
  int64_t Position() const override { return position_; }

 private:
  std::istream& input_;
  const std::string name_;
  int64_t line_ = 0;
  int64_t position_ = 0;
};

class CsvSource : public TextSource {
 public:
  CsvSource(std::istream* input, std::string name, const std::string& text_column,
            const std::string& domain_column)
      : reader_(*input), name_(std::move(name)) {
    CsvRow header;
    if (!reader_.Next(&header)) Refuse(name_ + " is empty: its first line must name the columns");
    if (!header.fault.empty()) Refuse(name_ + ":1: " + header.fault);
    columns_ = header.fields;
    text_ = Find(text_column);
    if (!domain_column.empty()) domain_ = Find(domain_column);
  }

  bool Next(SourceItem* item) override {
    CsvRow row;
    if (!reader_.Next(&row)) return false;
    *item = SourceItem();
    item->where = name_ + ":" + std::to_string(row.line);
    item->fault = row.fault;
    if (item->fault.empty() && row.fields.size() != columns_.size()) {
      item->fault = std::to_string(row.fields.size()) + " columns, the first line names " +
                    std::to_string(columns_.size());
    }
    if (!item->fault.empty()) return true;
    for (size_t i = 0; i < columns_.size(); ++i) {
      position_ += static_cast<int64_t>(row.fields[i].size()) + 1;
      if (domain_ && *domain_ == i) item->domain = row.fields[i];
      if (i == text_) {
        item->text = std::move(row.fields[i]);
      } else {
        item->fields.emplace_back(columns_[i], std::move(row.fields[i]));
      }
    }
    return true;
  }
  int64_t Position() const override { return position_; }

 private:
  [[noreturn]] static void Refuse(const std::string& why) {
    throw Error(ErrorCode::kInvalidArgument, why);
  }
  size_t Find(const std::string& column) const {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
    std::string names;
    for (const std::string& name : columns_) names += (names.empty() ? "" : ", ") + name;
    Refuse(name_ + " has no column '" + column + "'; it has " + names);
  }

  CsvReader reader_;
  const std::string name_;
  std::vector<std::string> columns_;
  size_t text_ = 0;
  std::optional<size_t> domain_;
  int64_t position_ = 0;
};

}  // namespace

std::unique_ptr<TextSource> MakeWordsSource(std::vector<std::string> texts) {
  return std::make_unique<WordsSource>(std::move(texts));
}

std::unique_ptr<TextSource> MakeLinesSource(std::istream* input, std::string name) {
  return std::make_unique<LinesSource>(input, std::move(name));
}

std::unique_ptr<TextSource> MakeCsvSource(std::istream* input, std::string name,
                                          const std::string& text_column,
                                          const std::string& domain_column) {
  return std::make_unique<CsvSource>(input, std::move(name), text_column, domain_column);
}

}  // namespace rebound
