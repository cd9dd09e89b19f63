#include "labelstore/import.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/content.h"

namespace rebound {
namespace {

constexpr size_t kMaxLineBytes = size_t{16} << 20;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

void SetLabel(Task task, std::string_view name, Submission* submission) {
  const auto label = FindLabel(task, name);
  if (!label) {
    Refuse("unknown " + std::string(TaskKey(task)) + " label '" +
           std::string(CutUtf8(RepairUtf8(name), 100)) + "'");
  }
  submission->labels[Index(task)] = *label;
}

void CheckComplete(const Submission& submission) {
  if (Trim(submission.text).empty()) Refuse("no text (key message or text)");
  const auto has = [](const auto& label) { return label.has_value(); };
  if (std::none_of(submission.labels.begin(), submission.labels.end(), has)) {
    Refuse("no label (keys bnac, backoff, label)");
  }
}

// Collects rows and writes them block by block.
class Importer {
 public:
  Importer(const ImportOptions& options, LabelStore* store) : options_(options), store_(store) {}

  // Reads one row with `fill`, which throws kInvalidArgument for a bad one.
  template <class Fill>
  void Row(int64_t line, Fill fill) {
    ++report_.rows;
    Submission submission;
    submission.origin = options_.origin;
    submission.contributor = options_.contributor;
    try {
      fill(&submission);
      CheckComplete(submission);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInvalidArgument) throw;
      Bad(line, e.what());
      return;
    }
    block_.push_back(std::move(submission));
    lines_.push_back(line);
    if (block_.size() >= options_.block) Flush();
  }

  void BadRow(int64_t line, const std::string& why) {
    ++report_.rows;
    Bad(line, why);
  }

  ImportReport Finish() {
    Flush();
    return report_;
  }

 private:
  void Bad(int64_t line, const std::string& why) {
    ++report_.bad_rows;
    if (options_.on_bad_row) options_.on_bad_row(line, why);
  }

  void Add(const ImportResult& result) {
    report_.result.inserted += result.inserted;
    report_.result.duplicates += result.duplicates;
    report_.result.relabelled += result.relabelled;
    report_.result.voted += result.voted;
  }

  void Flush() {
    if (block_.empty()) return;
    try {
      Add(store_->Submit(block_));
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInvalidArgument) throw;
      FlushOneByOne();
    }
    block_.clear();
    lines_.clear();
    if (options_.on_progress) options_.on_progress(report_.rows);
  }

  // The store refused the block for one row (a text without a single letter): the others go in.
  void FlushOneByOne() {
    for (size_t i = 0; i < block_.size(); ++i) {
      try {
        Add(store_->Submit({block_[i]}));
      } catch (const Error& e) {
        if (e.code() != ErrorCode::kInvalidArgument) throw;
        Bad(lines_[i], e.what());
      }
    }
  }

  const ImportOptions& options_;
  LabelStore* store_;
  ImportReport report_;
  std::vector<Submission> block_;
  std::vector<int64_t> lines_;
};

// Which column holds what; -1: none.
struct Columns {
  int text = -1, group = -1;
  std::array<int, kTaskCount> labels = {-1, -1, -1};
  size_t count = 0;
};

Columns ReadHeader(const CsvRow& row) {
  if (!row.fault.empty()) Refuse("line " + std::to_string(row.line) + ": " + row.fault);
  Columns columns;
  columns.count = row.fields.size();
  for (size_t i = 0; i < row.fields.size(); ++i) {
    const std::string name = AsciiLower(Trim(row.fields[i]));
    const int at = static_cast<int>(i);
    if (name == "message" || name == "text") columns.text = at;
    if (name == "group") columns.group = at;
    for (const Task task : kTasks) {
      if (name == TaskKey(task)) columns.labels[Index(task)] = at;
    }
  }
  const bool labelled = std::any_of(columns.labels.begin(), columns.labels.end(),
                                    [](int column) { return column >= 0; });
  if (columns.text < 0 || !labelled) {
    Refuse("the first line must name the columns: message (or text) and bnac, backoff or label");
  }
  return columns;
}

void ImportCsv(std::istream& input, Importer* importer) {
  CsvReader reader(input);
  CsvRow row;
  if (!reader.Next(&row)) Refuse("the file is empty");
  const Columns columns = ReadHeader(row);
  while (reader.Next(&row)) {
    if (!row.fault.empty()) {
      importer->BadRow(row.line, row.fault);
      continue;
    }
    importer->Row(row.line, [&](Submission* submission) {
      if (row.fields.size() != columns.count) {
        Refuse(std::to_string(row.fields.size()) + " fields where the header has " +
               std::to_string(columns.count));
      }
      submission->text = std::move(row.fields[static_cast<size_t>(columns.text)]);
      if (columns.group >= 0) submission->group = row.fields[static_cast<size_t>(columns.group)];
      for (const Task task : kTasks) {
        const int column = columns.labels[Index(task)];
        if (column < 0) continue;
        const std::string_view name = Trim(row.fields[static_cast<size_t>(column)]);
        if (!name.empty()) SetLabel(task, name, submission);
      }
    });
  }
}

// A line of at most kMaxLineBytes; *cut tells that more stood there.
bool ReadLine(std::istream& input, std::string* line, bool* cut) {
  line->clear();
  *cut = false;
  bool any = false;
  for (int c; (c = input.rdbuf()->sbumpc()) != std::char_traits<char>::eof();) {
    any = true;
    if (c == '\n') return true;
    if (line->size() >= kMaxLineBytes) {
      *cut = true;
    } else {
      *line += static_cast<char>(c);
    }
  }
  return any;
}

const JsonValue* FindText(const JsonValue& object, const char* key) {
  const JsonValue* value = FindJson(object, key);
  return value == nullptr || value->IsNull() ? nullptr : value;
}

void ImportJsonLines(std::istream& input, Importer* importer) {
  std::string line;
  bool cut = false;
  for (int64_t number = 1; ReadLine(input, &line, &cut); ++number) {
    if (cut) {
      importer->BadRow(number, "the line is larger than 16 MiB");
      continue;
    }
    const std::string text = RepairUtf8(line);
    if (Trim(text).empty()) continue;
    importer->Row(number, [&](Submission* submission) {
      const JsonDocument object = ParseJson(text);
      if (!object.IsObject()) Refuse("no JSON object");
      const char* key = FindText(object, "message") != nullptr ? "message" : "text";
      if (FindText(object, key) != nullptr) submission->text = GetJsonString(object, key);
      if (FindText(object, "group") != nullptr) submission->group = GetJsonString(object, "group");
      for (const Task task : kTasks) {
        const std::string name(TaskKey(task));
        if (FindText(object, name.c_str()) == nullptr) continue;
        SetLabel(task, GetJsonString(object, name), submission);
      }
    });
  }
}

}  // namespace

std::optional<ImportFormat> FormatOf(std::string_view file_name) {
  const std::string name = AsciiLower(file_name);
  const auto ends_with = [&](std::string_view ending) {
    return name.size() >= ending.size() &&
           name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
  };
  if (ends_with(".csv")) return ImportFormat::kCsv;
  if (ends_with(".jsonl") || ends_with(".ndjson") || ends_with(".json")) {
    return ImportFormat::kJsonLines;
  }
  return std::nullopt;
}

ImportReport Import(std::istream& input, ImportFormat format, const ImportOptions& options,
                    LabelStore* store) {
  Importer importer(options, store);
  if (format == ImportFormat::kCsv) {
    ImportCsv(input, &importer);
  } else {
    ImportJsonLines(input, &importer);
  }
  return importer.Finish();
}

void AppendExportLine(const SnapshotRow& row, std::string* out) {
  JsonWriter(out).Object([&](JsonWriter& w) {
    w.Key("text").String(row.text);
    w.Key("group").String(row.group);
    w.Key("held_out").Bool(row.held_out);
    w.Key("origin").String(OriginName(row.origin));
    for (const Task task : kTasks) {
      const int16_t label = row.labels[Index(task)];
      if (label < 0) continue;
      w.Key(TaskKey(task)).String(TaskLabels(task)[static_cast<size_t>(label)]);
    }
  });
  *out += '\n';
}

}  // namespace rebound
