#include "engine/cli/result_sink.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/text.h"

namespace rebound {
namespace {

std::string_view LabelOf(const Answer& answer, Task task) {
  const auto& of = answer.tasks[Index(task)];
  return of ? TaskLabels(task)[of->answer.label] : std::string_view();
}

float ConfidenceOf(const Answer& answer) {
  const auto& of = answer.tasks[Index(Task::kAction)];
  return of ? of->answer.probability : 0.0F;
}

std::string_view ActionOf(const Answer& answer) {
  const auto& of = answer.tasks[Index(Task::kAction)];
  return of ? RecommendedAction(of->answer.label) : std::string_view();
}

// One line of printable characters: a text of somebody else must not steer the terminal.
std::string OneLine(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const CodePoint point = DecodeUtf8(text);
    const bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) ||
                         (point.value >= 0x200E && point.value <= 0x200F) ||
                         (point.value >= 0x202A && point.value <= 0x202E) ||
                         (point.value >= 0x2066 && point.value <= 0x2069);
    if (control) {
      if (line.empty() || line.back() != ' ') line += ' ';
    } else {
      line.append(text.substr(0, point.bytes));
    }
    text.remove_prefix(point.bytes);
  }
  return line;
}

std::string Padded(std::string_view text, size_t width) {
  std::string padded(text);
  if (padded.size() < width) padded.resize(width, ' ');
  return padded;
}

std::string_view ColourOf(std::string_view action) {
  if (action == "remove" || action == "remove_content") return "\033[31m";
  if (action == "retry") return "\033[33m";
  if (action == "fix_configuration" || action == "retry_different_ip") return "\033[35m";
  return "\033[36m";
}

class TableSink : public ResultSink {
 public:
  TableSink(std::ostream* out, bool colours, size_t width)
      : out_(*out), colours_(colours), width_(width) {}

  void Write(const SourceItem& item, std::string_view text, const Answer& answer) override {
    if (!begun_) {
      begun_ = true;
      Row({"LABEL", "SURE", "ACTION", "BNAC", "BACKOFF"}, "TEXT", "\033[1m");
    }
    std::array<char, 16> sure;
    std::snprintf(sure.data(), sure.size(), "%3.0f%%", 100.0 * ConfidenceOf(answer));
    std::string shown;
    for (const auto& [name, value] : item.fields) {
      if (name == "recipient" && !value.empty()) shown = value + "  ";
    }
    const std::string_view action = ActionOf(answer);
    Row({LabelOf(answer, Task::kAction), sure.data(), action, LabelOf(answer, Task::kBnac),
         LabelOf(answer, Task::kBackoff)},
        OneLine(shown + std::string(text)), ColourOf(action));
  }

 private:
  static constexpr std::array<size_t, 5> kWidths = {19, 5, 19, 20, 27};

  void Row(const std::array<std::string_view, 5>& cells, std::string_view text,
           std::string_view colour) {
    std::string line;
    size_t used = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Padded(cells[i], kWidths[i]) + " ";
      used += cell.size();
      if (colours_ && i == 0) line += colour;
      line += cell;
      if (colours_ && i == 2) line += "\033[0m";
    }
    if (width_ == 0 || used + text.size() <= width_) {
      line += text;
    } else if (used + 20 < width_) {
      line += CutUtf8(text, width_ - used - 3);
      line += "...";
    } else {
      line += "\n    ";  // a narrow terminal: the text has a line of its own
      line += CutUtf8(text, width_ > 8 ? width_ - 8 : 1);
    }
    out_ << line << "\n";
  }

  std::ostream& out_;
  const bool colours_;
  const size_t width_;
  bool begun_ = false;
};

class JsonSink : public ResultSink {
 public:
  JsonSink(std::ostream* out, const BackoffPolicy* policy) : out_(*out), policy_(*policy) {}

  void Write(const SourceItem& item, std::string_view text, const Answer& answer) override {
    line_.clear();
    {
      JsonWriter w(&line_);
      w.StartObject();
      WriteItem(item, text, &w);
      WriteAnswerFields(answer, policy_, &w);
      w.EndObject();
    }
    out_ << line_ << "\n";
  }

  void WriteFault(const SourceItem& item) override {
    line_.clear();
    {
      JsonWriter w(&line_);
      w.StartObject();
      WriteItem(item, "", &w);
      w.Key("error").StartObject().Key("detail").String(item.where + ": " + item.fault);
      w.EndObject().EndObject();
    }
    out_ << line_ << "\n";
  }

 private:
  static void WriteItem(const SourceItem& item, std::string_view text, JsonWriter* writer) {
    if (!text.empty()) writer->Key("message").String(text);
    for (const auto& [name, value] : item.fields) {
      writer->Key(RepairUtf8(name)).String(RepairUtf8(value));
    }
  }

  std::ostream& out_;
  const BackoffPolicy& policy_;
  std::string line_;
};

class CsvSink : public ResultSink {
 public:
  explicit CsvSink(std::ostream* out) : out_(*out) {}

  void Write(const SourceItem& item, std::string_view text, const Answer& answer) override {
    std::array<char, 24> confidence;
    std::snprintf(confidence.data(), confidence.size(), "%.6g",
                  static_cast<double>(ConfidenceOf(answer)));
    const Facts& facts = answer.facts;
    Head(item);
    for (const auto& [name, value] : item.fields) Cell(value);
    Cell(text);
    Cell(LabelOf(answer, Task::kAction));
    Cell(confidence.data());
    Cell(ActionOf(answer));
    Cell(LabelOf(answer, Task::kBnac));
    Cell(LabelOf(answer, Task::kBackoff));
    Cell(facts.codes.reply);
    Cell(facts.codes.enhanced);
    Cell(facts.retry_after ? std::to_string(facts.retry_after->count()) : "");
    Cell(facts.lists.count > 0 ? facts.lists.all[0].list->name : std::string_view());
    EndRow();
  }

 private:
  static constexpr std::array<std::string_view, 10> kColumns = {
      "message", "label",     "confidence",    "action",      "bnac",
      "backoff", "smtp_code", "enhanced_code", "retry_after", "blocklist"};

  // The first row says how many columns the source has; reports of one run have the same ones.
  void Head(const SourceItem& item) {
    if (begun_) return;
    begun_ = true;
    for (const auto& [name, value] : item.fields) Cell(name);
    for (const std::string_view column : kColumns) Cell(column);
    EndRow();
  }

  void Cell(std::string_view text) {
    if (!row_.empty()) row_ += ',';
    std::string cell;
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) {
      cell = "'";
    }
    cell += text;
    if (cell.find_first_of("\",\r\n") == std::string::npos) {
      row_ += cell.empty() ? "\"\"" : cell;
      return;
    }
    row_ += '"';
    for (const char c : cell) {
      if (c == '"') row_ += '"';
      row_ += c;
    }
    row_ += '"';
  }

  void EndRow() {
    out_ << row_ << "\n";
    row_.clear();
  }

  std::ostream& out_;
  std::string row_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<ResultSink> MakeTableSink(std::ostream* out, bool colours, size_t width) {
  return std::make_unique<TableSink>(out, colours, width);
}

std::unique_ptr<ResultSink> MakeJsonSink(std::ostream* out, const BackoffPolicy* policy) {
  return std::make_unique<JsonSink>(out, policy);
}

std::unique_ptr<ResultSink> MakeCsvSink(std::ostream* out) {
  return std::make_unique<CsvSink>(out);
}

void Summary::Count(const Answer& answer) {
  ++texts_;
  for (const Task task : kTasks) {
    const std::string_view label = LabelOf(answer, task);
    if (!label.empty()) ++counts_[Index(task)][label];
  }
}

void Summary::Print(std::ostream* out) const {
  for (const Task task : {Task::kAction, Task::kBnac, Task::kBackoff}) {
    std::vector<std::pair<int64_t, std::string_view>> rows;
    for (const auto& [label, count] : counts_[Index(task)]) rows.emplace_back(count, label);
    std::sort(rows.rbegin(), rows.rend());
    *out << "\n" << TaskKey(task) << "\n";
    for (const auto& [count, label] : rows) {
      std::array<char, 96> line;
      std::snprintf(line.data(), line.size(), "  %-44s %10lld  %5.1f%%\n",
                    std::string(label).c_str(), static_cast<long long>(count),
                    100.0 * static_cast<double>(count) / static_cast<double>(texts_));
      *out << line.data();
    }
  }
  *out << "\n" << texts_ << " texts\n";
}

}  // namespace rebound
