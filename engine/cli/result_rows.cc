#include "engine/cli/result_rows.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"
#include "engine/cli/terminal.h"

namespace rebound {
namespace {

// Each is empty where it was not asked.
std::string_view LabelOf(const Answer& answer, Task task) {
  const auto& of = answer.tasks[Index(task)];
  return of ? TaskLabels(task)[of->answer.label] : std::string_view();
}

std::string_view SuppressOf(const Answer& answer) {
  return answer.verdict ? SuppressName(answer.verdict->suppress) : std::string_view();
}

float ConfidenceOf(const Answer& answer) {
  const auto& of = answer.tasks[Index(Task::kAction)];
  return of ? of->answer.probability : 0.0F;
}

std::string_view ActionOf(const Answer& answer) {
  const auto& of = answer.tasks[Index(Task::kAction)];
  return of ? RecommendedAction(of->answer.label) : std::string_view();
}

std::string_view ColourOf(std::string_view action) {
  if (action == "remove" || action == "remove_content") return "\033[31m";
  if (action == "retry") return "\033[33m";
  if (action == "fix_configuration" || action == "retry_different_ip") return "\033[35m";
  return "\033[36m";
}

class TableRows : public ResultRows {
 public:
  TableRows(bool colours, size_t width)
      : colours_(colours), width_(width), suppress_(width == 0 || width >= kWideEnough) {}

  void Head(std::span<const std::string> /*columns*/, std::string* out) const override {
    Row({"LABEL", "SURE", "ACTION", "BNAC", "BACKOFF", "SUPPRESS"}, "TEXT", "\033[1m", out);
  }

  void Write(const SourceItem& item, std::string_view text, const Answer& answer,
             std::string* out) const override {
    std::array<char, 16> sure;
    std::snprintf(sure.data(), sure.size(), "%3.0f%%", 100.0 * ConfidenceOf(answer));
    const std::string_view action = ActionOf(answer);
    Row({LabelOf(answer, Task::kAction), sure.data(), action, LabelOf(answer, Task::kBnac),
         LabelOf(answer, Task::kBackoff), SuppressOf(answer)},
        OneLine(item.shown + std::string(text)), ColourOf(action), out);
  }

  void WriteNote(const SourceItem& item, std::string_view text, std::string* out) const override {
    std::string shown = item.shown + item.note;
    if (!text.empty()) shown.append(": ").append(text);
    Row({"-", "-", "-", "-", "-", "-"}, OneLine(shown), "", out);
  }

 private:
  static constexpr size_t kWideEnough = 150;
  static constexpr std::array<size_t, 6> kWidths = {19, 5, 19, 20, 27, 13};

  void Row(const std::array<std::string_view, 6>& cells, std::string_view text,
           std::string_view colour, std::string* out) const {
    size_t used = 0;
    for (size_t i = 0; i < cells.size() - (suppress_ ? 0 : 1); ++i) {
      const std::string cell = Padded(cells[i], kWidths[i]) + " ";
      used += cell.size();
      if (colours_ && i == 0) *out += colour;
      *out += cell;
      if (colours_ && i == 2) *out += "\033[0m";
    }
    if (width_ == 0 || used + text.size() <= width_) {
      *out += text;
    } else if (used + 20 < width_) {
      *out += CutUtf8(text, width_ - used - 3);
      *out += "...";
    } else {
      *out += "\n    ";  // a narrow terminal: the text has a line of its own
      *out += CutUtf8(text, width_ > 8 ? width_ - 8 : 1);
    }
    *out += "\n";
  }

  const bool colours_;
  const size_t width_;
  const bool suppress_;
};

class JsonRows : public ResultRows {
 public:
  explicit JsonRows(const BackoffPolicy* policy) : policy_(*policy) {}

  void Head(std::span<const std::string> /*columns*/, std::string* /*out*/) const override {}

  void Write(const SourceItem& item, std::string_view text, const Answer& answer,
             std::string* out) const override {
    Line(out, [&](JsonWriter& w) {
      w.Key("message").String(text);
      WriteFields(item, &w);
      WriteAnswerFields(answer, policy_, &w);
    });
  }

  void WriteNote(const SourceItem& item, std::string_view text, std::string* out) const override {
    Line(out, [&](JsonWriter& w) {
      if (!text.empty()) w.Key("message").String(text);
      WriteFields(item, &w);
      const bool has_note =
          std::any_of(item.fields.begin(), item.fields.end(),
                      [](const SourceField& field) { return field.name == "note"; });
      if (!has_note) w.Key("note").String(RepairUtf8(item.note));
    });
  }

  void WriteFault(const SourceItem& item, std::string* out) const override {
    Line(out, [&](JsonWriter& w) {
      WriteFields(item, &w);
      w.Key("error").StartObject().Key("detail").String(RepairUtf8(FaultOf(item)));
      w.EndObject();
    });
  }

 private:
  template <class Body>
  static void Line(std::string* out, Body body) {
    { JsonWriter(out).Object(body); }
    *out += '\n';
  }

  static void WriteFields(const SourceItem& item, JsonWriter* writer) {
    for (const SourceField& field : item.fields) {
      if (field.value.empty() && field.kind != SourceField::Kind::kText) continue;
      writer->Key(RepairUtf8(field.name));
      if (field.kind == SourceField::Kind::kNumber) {
        writer->Raw(field.value);
      } else {
        writer->String(RepairUtf8(field.value));
      }
    }
  }

  const BackoffPolicy& policy_;
};

class CsvRows : public ResultRows {
 public:
  explicit CsvRows(bool is_terminal) : is_terminal_(is_terminal) {}

  void Head(std::span<const std::string> columns, std::string* out) const override {
    for (const std::string& column : columns) Cell(column, out);
    for (const std::string_view column : kColumns) Cell(column, out);
    EndRow(out);
  }

  void Write(const SourceItem& item, std::string_view text, const Answer& answer,
             std::string* out) const override {
    std::array<char, 24> confidence;
    std::snprintf(confidence.data(), confidence.size(), "%.6g",
                  static_cast<double>(ConfidenceOf(answer)));
    const Facts& facts = answer.facts;
    for (const SourceField& field : item.fields) Cell(field.value, out);
    Cell(text, out);
    Cell(LabelOf(answer, Task::kAction), out);
    Cell(confidence.data(), out);
    Cell(ActionOf(answer), out);
    Cell(LabelOf(answer, Task::kBnac), out);
    Cell(LabelOf(answer, Task::kBackoff), out);
    Cell(answer.verdict ? FaultName(answer.verdict->fault) : std::string_view(), out);
    Cell(SuppressOf(answer), out);
    Cell(answer.momentum ? std::to_string(answer.momentum->number) : "", out);
    Cell(facts.codes.reply, out);
    Cell(facts.codes.enhanced, out);
    Cell(facts.retry_after ? std::to_string(facts.retry_after->count()) : "", out);
    Cell(facts.lists.count > 0 ? facts.lists.all[0].list->name : std::string_view(), out);
    EndRow(out);
  }

  void WriteNote(const SourceItem& item, std::string_view text, std::string* out) const override {
    for (const SourceField& field : item.fields) Cell(field.value, out);
    Cell(text, out);
    for (size_t i = 1; i < kColumns.size(); ++i) Cell("", out);
    EndRow(out);
  }

 private:
  static constexpr std::array<std::string_view, 13> kColumns = {
      "message",       "label",       "confidence", "action",        "bnac",
      "backoff",       "fault",       "suppress",   "momentum_code", "smtp_code",
      "enhanced_code", "retry_after", "blocklist"};

  void Cell(std::string_view cell, std::string* out) const {
    const std::string line = is_terminal_ ? OneLine(cell) : std::string();
    const std::string_view text = is_terminal_ ? line : cell;
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) {
      Quoted(text, "'", out);
    } else {
      Quoted(text, "", out);
    }
    *out += ',';
  }

  static void Quoted(std::string_view text, std::string_view before, std::string* out) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) {
      out->append(before).append(text);
      return;
    }
    out->append("\"").append(before);
    for (const char c : text) {
      if (c == '"') *out += '"';
      *out += c;
    }
    *out += '"';
  }

  // Over the comma behind the last cell.
  static void EndRow(std::string* out) { out->back() = '\n'; }

  const bool is_terminal_;
};

}  // namespace

std::unique_ptr<ResultRows> MakeTableRows(bool colours, size_t width) {
  return std::make_unique<TableRows>(colours, width);
}

std::unique_ptr<ResultRows> MakeJsonRows(const BackoffPolicy* policy) {
  return std::make_unique<JsonRows>(policy);
}

std::unique_ptr<ResultRows> MakeCsvRows(bool is_terminal) {
  return std::make_unique<CsvRows>(is_terminal);
}

}  // namespace rebound
