#include "labelstore/proposal_rows.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/error.h"

namespace rebound {
namespace {

// What was approved before it stands in a snapshot.
constexpr const char* kLastSnapshot =
    "coalesce((SELECT max(created_at) FROM rebound.snapshots), '-infinity')";

std::string Time(const std::string& column) {
  return "coalesce(to_char(" + column +
         " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')";
}

double ReadReal(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const char* OrderOf(ProposalOrder order) {
  switch (order) {
    case ProposalOrder::kNewest:
      return "p.id DESC";
    case ProposalOrder::kDisagreement:
      return "p.disagreement DESC, p.id DESC";
    case ProposalOrder::kUncertainty:
      return "p.uncertainty DESC, p.id DESC";
    case ProposalOrder::kVolume:
      return "c.volume DESC, c.id, p.id DESC";
    case ProposalOrder::kCost:
      return "p.cost DESC, p.disagreement DESC, p.id DESC";
    case ProposalOrder::kSuspect:
      return "p.suspicion DESC, p.id DESC";
  }
  throw Error(ErrorCode::kInternal, "an unknown order");
}

void ReadLabels(SqlTransaction& sql, const LabelCatalog& catalog, const SqlValue& ids,
                const std::unordered_map<int64_t, ProposalView*>& by_id) {
  const SqlRows rows = sql.Execute(
      "SELECT proposal_id, label_id, decided_label_id, model_label_id, model_probability, "
      "model_version FROM rebound.proposal_labels WHERE proposal_id = ANY ($1::bigint[])",
      {ids});
  for (size_t row = 0; row < rows.size(); ++row) {
    ProposalView& view = *by_id.at(rows.Int(row, 0));
    const auto place = [&](size_t column, LabelChoice* choice) {
      if (rows.IsNull(row, column)) return;
      const auto [task, label] = catalog.PositionOf(rows.Int(row, column));
      (*choice)[Index(task)] = static_cast<size_t>(label);
    };
    place(1, &view.labels);
    place(2, &view.decided);
    if (rows.IsNull(row, 3)) continue;
    const auto [task, label] = catalog.PositionOf(rows.Int(row, 3));
    view.model[Index(task)] =
        ModelAnswer{static_cast<size_t>(label), static_cast<float>(ReadReal(rows.Text(row, 4))),
                    static_cast<int>(rows.Int(row, 5))};
  }
}

}  // namespace

std::vector<ProposalView> ReadProposals(SqlTransaction& sql, const LabelCatalog& catalog,
                                        const std::vector<int64_t>& ids) {
  SqlArray wanted;
  for (const int64_t id : ids) wanted.AddInt(id);
  const SqlValue all = wanted.Take();
  const SqlRows rows = sql.Execute(
      "SELECT p.id, t.text, p.contributor, p.comment, p.source, p.status, p.reason, "
      "p.disagreement, p.uncertainty, p.cost, p.suspicion, c.id, c.volume, "
      "p.status = 'approved' AND p.decided_at <= " +
          std::string(kLastSnapshot) + ", " + Time("p.created_at") + ", " + Time("p.changed_at") +
          ", " + Time("p.decided_at") +
          " FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, place) "
          "JOIN rebound.proposals p ON p.id = wanted.id "
          "JOIN rebound.contributed_texts t ON t.id = p.text_id "
          "JOIN rebound.clusters c ON c.id = t.cluster_id ORDER BY wanted.place",
      {all});
  std::vector<ProposalView> views(rows.size());
  std::unordered_map<int64_t, ProposalView*> by_id;
  for (size_t row = 0; row < rows.size(); ++row) {
    ProposalView& view = views[row];
    view.id = rows.Int(row, 0);
    view.text = rows.Text(row, 1);
    view.contributor = rows.Text(row, 2);
    view.comment = rows.Text(row, 3);
    view.source = rows.Text(row, 4);
    view.status = ParseProposalStatus(rows.Text(row, 5)).value();
    view.reason = rows.Text(row, 6);
    view.scores = {ReadReal(rows.Text(row, 7)), ReadReal(rows.Text(row, 8)),
                   ReadReal(rows.Text(row, 9))};
    view.suspicion = ReadReal(rows.Text(row, 10));
    view.cluster_id = rows.Int(row, 11);
    view.cluster_volume = rows.Int(row, 12);
    view.trained = rows.Bool(row, 13);
    view.created_at = rows.Text(row, 14);
    view.changed_at = rows.Text(row, 15);
    view.decided_at = rows.Text(row, 16);
    by_id[view.id] = &view;
  }
  ReadLabels(sql, catalog, all, by_id);
  return views;
}

ProposalPage ReadProposalPage(SqlTransaction& sql, const LabelCatalog& catalog,
                              const ProposalQuery& query) {
  if (query.page < 1 || query.limit < 1 || query.limit > 10'000 || query.page > 1'000'000'000) {
    throw Error(ErrorCode::kInvalidArgument, "page counts from 1, and limit is 1 to 10000");
  }
  std::string where = "true";
  std::vector<SqlValue> parameters;
  const auto add = [&](const std::string& condition, SqlValue value) {
    parameters.push_back(std::move(value));
    where += " AND " + condition;
    where.replace(where.find("$?"), 2, "$" + std::to_string(parameters.size()));
  };
  if (!query.contributor.empty()) add("p.contributor = $?", query.contributor);
  if (query.status) {
    add("p.status = $?::rebound.proposal_status", std::string(StatusName(*query.status)));
  }
  if (query.untrained) {
    where += " AND p.status = 'approved' AND p.decided_at > " + std::string(kLastSnapshot);
  }
  if (query.cluster_id) add("t.cluster_id = $?::bigint", SqlInt(*query.cluster_id));
  if (!query.source.empty()) add("p.source = $?", query.source);
  if (!query.text.empty()) add("strpos(lower(t.text), lower($?)) > 0", query.text);
  for (const Task task : kTasks) {
    const auto& label = query.labels[Index(task)];
    if (!label) continue;
    add("EXISTS (SELECT 1 FROM rebound.proposal_labels l WHERE l.proposal_id = p.id "
        "AND l.label_id = $?::smallint)",
        SqlInt(catalog.label_ids[Index(task)].at(*label)));
  }
  if (!query.not_reviewed_by.empty()) {
    add("NOT EXISTS (SELECT 1 FROM rebound.reviews r WHERE r.proposal_id = p.id "
        "AND r.undone_at IS NULL AND r.reviewer = $?)",
        query.not_reviewed_by);
  }
  const std::string from =
      " FROM rebound.proposals p JOIN rebound.contributed_texts t ON t.id = p.text_id "
      "JOIN rebound.clusters c ON c.id = t.cluster_id WHERE " +
      where;
  ProposalPage page;
  page.total = sql.Execute("SELECT count(*)" + from, parameters).Int(0, 0);
  const SqlRows rows = sql.Execute("SELECT p.id" + from + " ORDER BY " + OrderOf(query.order) +
                                       " LIMIT " + std::to_string(query.limit) + " OFFSET " +
                                       std::to_string((query.page - 1) * query.limit),
                                   parameters);
  std::vector<int64_t> ids;
  for (size_t row = 0; row < rows.size(); ++row) ids.push_back(rows.Int(row, 0));
  page.proposals = ReadProposals(sql, catalog, ids);
  return page;
}

ProposalCounts ReadProposalCounts(SqlTransaction& sql) {
  ProposalCounts counts;
  for (size_t i = 0; i < 6; ++i) {
    counts.by_status[std::string(StatusName(static_cast<ProposalStatus>(i)))] = 0;
  }
  const SqlRows statuses =
      sql.Execute("SELECT status, count(*) FROM rebound.proposals GROUP BY status");
  for (size_t row = 0; row < statuses.size(); ++row) {
    counts.by_status[std::string(statuses.Text(row, 0))] = statuses.Int(row, 1);
  }
  const SqlRows labels = sql.Execute(
      "SELECT l.name, count(*) FROM rebound.proposal_labels p JOIN rebound.labels l "
      "ON l.id = p.label_id JOIN rebound.label_sets s ON s.id = l.label_set_id "
      "WHERE s.task = 'action' GROUP BY l.name");
  for (size_t row = 0; row < labels.size(); ++row) {
    counts.by_label[std::string(labels.Text(row, 0))] = labels.Int(row, 1);
  }
  counts.untrained = sql.Execute(
                            "SELECT count(*) FROM rebound.proposals WHERE status = 'approved' "
                            "AND decided_at > " +
                            std::string(kLastSnapshot))
                         .Int(0, 0);
  return counts;
}

}  // namespace rebound
