#include "engine/cli/summary.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "engine/cli/terminal.h"

namespace rebound {
namespace {

constexpr size_t kTop = 10;
constexpr std::array<Task, 3> kOrder = {Task::kAction, Task::kBnac, Task::kBackoff};

using Counted = std::vector<std::pair<int64_t, std::string_view>>;

// The most frequent first, equal ones by name; without those that never came.
Counted Sorted(Counted rows) {
  std::erase_if(rows, [](const auto& row) { return row.first == 0; });
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return rows;
}

void PrintRows(std::string_view title, const Counted& rows, int64_t of, std::ostream* out) {
  if (rows.empty()) return;
  *out << "\n" << title << "\n";
  for (const auto& [count, name] : rows) {
    std::array<char, 32> figures;
    std::snprintf(
        figures.data(), figures.size(), " %10lld  %5.1f%%\n", static_cast<long long>(count),
        100.0 * static_cast<double>(count) / static_cast<double>(std::max<int64_t>(of, 1)));
    *out << "  " << Padded(OneLine(name), 48) << figures.data();
  }
}

void WriteRows(std::string_view key, const Counted& rows, JsonWriter* writer) {
  writer->Key(key).StartObject();
  for (const auto& [count, name] : rows) writer->Key(RepairUtf8(name)).Int(count);
  writer->EndObject();
}

Counted OfTask(const std::vector<int64_t>& counts, Task task) {
  Counted rows;
  for (size_t i = 0; i < counts.size(); ++i) rows.emplace_back(counts[i], TaskLabels(task)[i]);
  return Sorted(std::move(rows));
}

template <size_t kSize, class Kind>
Counted OfNames(const std::array<int64_t, kSize>& counts, std::string_view (*name)(Kind)) {
  Counted rows;
  for (size_t i = 0; i < kSize; ++i) rows.emplace_back(counts[i], name(static_cast<Kind>(i)));
  return Sorted(std::move(rows));
}

Counted Top(const std::map<std::string, int64_t, std::less<>>& counts) {
  Counted rows;
  for (const auto& [name, count] : counts) rows.emplace_back(count, name);
  rows = Sorted(std::move(rows));
  if (rows.size() > kTop) rows.resize(kTop);
  return rows;
}

// The domains of most failures, which are bounced and deferred deliveries.
std::vector<std::pair<std::string_view, LogTotals::Of>> TopDomains(const LogTotals& totals) {
  std::vector<std::pair<std::string_view, LogTotals::Of>> rows(totals.by_domain.begin(),
                                                               totals.by_domain.end());
  const auto is_before = [](const auto& a, const auto& b) {
    const int64_t failed_a = a.second.bounced + a.second.deferred;
    const int64_t failed_b = b.second.bounced + b.second.deferred;
    return failed_a != failed_b ? failed_a > failed_b : a.first < b.first;
  };
  const size_t most = std::min(kTop, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end(),
                    is_before);
  rows.resize(most);
  return rows;
}

void PrintTotals(const LogTotals& totals, std::ostream* out) {
  std::array<char, 96> line;
  const auto row = [&](std::string_view name, const LogTotals::Of& of) {
    std::snprintf(line.data(), line.size(), " %12lld %12lld %12lld\n",
                  static_cast<long long>(of.delivered), static_cast<long long>(of.bounced),
                  static_cast<long long>(of.deferred));
    *out << "  " << Padded(OneLine(name), 32) << line.data();
  };
  std::snprintf(line.data(), line.size(), " %12s %12s %12s\n", "delivered", "bounced", "deferred");
  *out << "\n" << Padded("recipient domains", 34) << line.data();
  for (const auto& [domain, of] : TopDomains(totals)) row(domain, of);
  row("(all)", totals.all);
  *out << "\n" << totals.lines << " lines, " << totals.other << " of them no deliveries";
  if (totals.malformed > 0) *out << ", " << totals.malformed << " malformed, first";
  const char* before = " ";
  for (const LogTotals::Bad& bad : totals.first_malformed) {
    *out << std::exchange(before, ", ") << OneLine(bad.file) << ":" << bad.line;
  }
  *out << "\n";
}

void WriteOf(const LogTotals::Of& of, JsonWriter* writer) {
  writer->Key("delivered").Int(of.delivered).Key("bounced").Int(of.bounced);
  writer->Key("deferred").Int(of.deferred);
}

void WriteTotals(const LogTotals& totals, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key("log").StartObject().Key("lines").Uint(totals.lines);
  WriteOf(totals.all, writer);
  w.Key("other").Uint(totals.other).Key("malformed").Uint(totals.malformed);
  w.Key("first_malformed").StartArray();
  for (const LogTotals::Bad& bad : totals.first_malformed) {
    w.StartObject().Key("file").String(RepairUtf8(bad.file)).Key("line").Uint(bad.line);
    w.EndObject();
  }
  w.EndArray().Key("domains").StartArray();
  for (const auto& [domain, of] : TopDomains(totals)) {
    w.StartObject().Key("domain").String(RepairUtf8(domain));
    WriteOf(of, writer);
    w.EndObject();
  }
  w.EndArray().EndObject();
}

}  // namespace

void Summary::Count(const Answer& answer) {
  ++texts_;
  for (const Task task : kTasks) {
    const auto& of = answer.tasks[Index(task)];
    if (!of) continue;
    std::vector<int64_t>& counts = by_label_[Index(task)];
    if (counts.empty()) counts.resize(TaskLabels(task).size());
    ++counts[of->answer.label];
  }
  if (answer.verdict) {
    ++by_fault_[static_cast<size_t>(answer.verdict->fault)];
    ++by_suppress_[static_cast<size_t>(answer.verdict->suppress)];
  }
  const std::string_view provider = answer.facts.provider.receiver;
  if (provider.empty()) return;
  const auto found = by_provider_.find(provider);
  if (found != by_provider_.end()) {
    ++found->second;
  } else {
    by_provider_.emplace(provider, 1);
  }
}

void Summary::Add(const Summary& other) {
  texts_ += other.texts_;
  notes_ += other.notes_;
  faults_ += other.faults_;
  for (size_t task = 0; task < kTaskCount; ++task) {
    const std::vector<int64_t>& from = other.by_label_[task];
    if (by_label_[task].size() < from.size()) by_label_[task].resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) by_label_[task][i] += from[i];
  }
  for (size_t i = 0; i < kFaultCount; ++i) by_fault_[i] += other.by_fault_[i];
  for (size_t i = 0; i < kSuppressCount; ++i) by_suppress_[i] += other.by_suppress_[i];
  for (const auto& [name, count] : other.by_provider_) by_provider_[name] += count;
}

void Summary::Print(const LogTotals* totals, bool is_interrupted, std::ostream* out) const {
  for (const Task task : kOrder) {
    PrintRows(TaskKey(task), OfTask(by_label_[Index(task)], task), texts_, out);
  }
  PrintRows("fault", OfNames(by_fault_, FaultName), texts_, out);
  PrintRows("suppress", OfNames(by_suppress_, SuppressName), texts_, out);
  PrintRows("providers", Top(by_provider_), texts_, out);
  if (totals != nullptr) PrintTotals(*totals, out);
  *out << "\n" << texts_ << (texts_ == 1 ? " text" : " texts");
  if (notes_ > 0) *out << ", " << notes_ << " with nothing to classify";
  if (faults_ > 0) *out << ", " << faults_ << " could not be read";
  *out << (is_interrupted ? "; interrupted, there is more\n" : "\n");
}

void Summary::PrintJson(const LogTotals* totals, bool is_interrupted, std::ostream* out) const {
  std::string line;
  {
    JsonWriter w(&line);
    w.StartObject().Key("summary").StartObject().Key("texts").Int(texts_);
    w.Key("notes").Int(notes_).Key("faults").Int(faults_);
    for (const Task task : kOrder) {
      WriteRows(TaskKey(task), OfTask(by_label_[Index(task)], task), &w);
    }
    WriteRows("fault", OfNames(by_fault_, FaultName), &w);
    WriteRows("suppress", OfNames(by_suppress_, SuppressName), &w);
    WriteRows("providers", Top(by_provider_), &w);
    if (totals != nullptr) WriteTotals(*totals, &w);
    if (is_interrupted) w.Key("interrupted").Bool(true);
    w.EndObject().EndObject();
  }
  *out << line << "\n";
}

}  // namespace rebound
