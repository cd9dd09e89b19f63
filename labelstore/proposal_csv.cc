#include "labelstore/proposal_csv.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr const char* kHeader =
    "the first line must name the columns: message, and at least one of label, bnac, backoff";

struct Columns {
  std::optional<size_t> text, comment;
  std::array<std::optional<size_t>, kTaskCount> labels;
  size_t count = 0;
};

Columns ReadHeader(CsvReader* reader) {
  CsvRow row;
  if (!reader->Next(&row) || !row.fault.empty()) throw Error(ErrorCode::kInvalidArgument, kHeader);
  Columns columns;
  columns.count = row.fields.size();
  for (size_t i = 0; i < row.fields.size(); ++i) {
    const std::string name = AsciiLower(Trim(row.fields[i]));
    if (name == "message" || name == "text") columns.text = i;
    if (name == "comment") columns.comment = i;
    for (const Task task : kTasks) {
      if (name == TaskKey(task)) columns.labels[Index(task)] = i;
    }
  }
  const bool labelled = std::any_of(columns.labels.begin(), columns.labels.end(),
                                    [](const auto& column) { return column.has_value(); });
  if (!columns.text || !labelled) throw Error(ErrorCode::kInvalidArgument, kHeader);
  return columns;
}

// Why the row is bad, or nullopt with `*proposal` filled.
std::optional<std::string> ReadRow(const CsvRow& row, const Columns& columns, Proposal* proposal) {
  if (!row.fault.empty()) return row.fault;
  if (row.fields.size() != columns.count) {
    return std::to_string(row.fields.size()) + " fields where the header has " +
           std::to_string(columns.count);
  }
  proposal->text = row.fields[*columns.text];
  if (columns.comment) proposal->comment = row.fields[*columns.comment];
  for (const Task task : kTasks) {
    const auto& column = columns.labels[Index(task)];
    const std::string_view name = column ? Trim(row.fields[*column]) : std::string_view();
    if (name.empty()) continue;
    const auto label = FindLabel(task, name);
    if (!label) {
      return "unknown " + std::string(TaskKey(task)) + " '" +
             std::string(CutUtf8(RepairUtf8(name), 100)) + "'";
    }
    proposal->labels[Index(task)] = *label;
  }
  return FaultOf(*proposal);
}

}  // namespace

ProposalCsv ReadProposalCsv(std::istream& input, const std::string& contributor, size_t max_rows) {
  CsvReader reader(input);
  const Columns columns = ReadHeader(&reader);
  ProposalCsv csv;
  CsvRow row;
  for (int64_t number = 2; reader.Next(&row); ++number) {
    if (csv.proposals.size() + csv.bad.size() == max_rows) {
      throw Error(ErrorCode::kTooLarge,
                  "more than " + std::to_string(max_rows) + " rows: send them in parts");
    }
    Proposal proposal;
    proposal.contributor = contributor;
    if (const auto fault = ReadRow(row, columns, &proposal)) {
      csv.bad.push_back({number, *fault});
    } else {
      csv.proposals.push_back(std::move(proposal));
      csv.rows.push_back(number);
    }
  }
  return csv;
}

}  // namespace rebound
