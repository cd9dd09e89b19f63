#include "labelstore/review_reports.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "labelstore/proposal_rows.h"
#include "labelstore/review_writer.h"

namespace rebound {
namespace {

std::string Time(const std::string& column) {
  return "coalesce(to_char(" + column +
         " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')";
}

// A row of the audit with the names of the labels beside their ids: "label", "decided_label", ...
std::string Named(const std::string& row) {
  return "coalesce((" + row +
         "::jsonb || (SELECT jsonb_object_agg(replace(k.key, '_id', ''), l.name) "
         "FROM jsonb_each_text(" +
         row +
         "::jsonb) k JOIN rebound.labels l ON l.id::text = k.value "
         "WHERE k.key IN ('label_id', 'model_label_id', 'decided_label_id')))::text, " +
         row + ", '')";
}

// What reviewers said in one task: by proposal, by reviewer, the label or "reject".
using Ratings = std::map<int64_t, std::map<std::string, size_t>>;

TaskAgreement AgreementOfTask(Task task, const Ratings& ratings) {
  TaskAgreement agreement;
  agreement.task = task;
  std::set<std::string> reviewers;
  std::vector<std::vector<int64_t>> counts;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (const auto& [proposal, said] : ratings) {
    if (said.size() < 2) continue;
    counts.emplace_back(TaskLabels(task).size() + 1, 0);
    for (const auto& [reviewer, category] : said) {
      reviewers.insert(reviewer);
      ++counts.back()[category];
    }
    pairs.emplace_back(said.begin()->second, said.rbegin()->second);  // by name
  }
  agreement.proposals = static_cast<int64_t>(counts.size());
  agreement.reviewers = static_cast<int64_t>(reviewers.size());
  if (reviewers.size() == 2) agreement.cohen = CohensKappa(pairs);
  agreement.fleiss = FleissKappa(counts);
  return agreement;
}

}  // namespace

std::vector<HistoryEntry> ReadHistory(SqlTransaction& sql, int64_t proposal) {
  // Every proposal about the same text belongs to it.
  const SqlRows rows = sql.Execute(
      "WITH own AS (SELECT p.id, p.text_id FROM rebound.proposals p WHERE p.text_id = "
      "  (SELECT text_id FROM rebound.proposals WHERE id = $1::bigint)), "
      "events AS ("
      "  SELECT at, id AS place, actor, entity, action, before::text AS before, "
      "    after::text AS after FROM rebound.audit a "
      "  WHERE (entity IN ('proposals', 'proposal_labels', 'reviews') "
      "      AND entity_id IN (SELECT id::text FROM own)) "
      "    OR (entity = 'review_labels' AND entity_id IN (SELECT r.id::text "
      "      FROM rebound.reviews r JOIN own ON own.id = r.proposal_id)) "
      "  UNION ALL "
      "  SELECT h.changed_at, 0, h.contributor, 'votes', "
      "    CASE WHEN h.new_label_id IS NULL THEN 'delete' ELSE 'update' END, "
      "    jsonb_build_object('label_id', h.old_label_id, 'origin', h.old_origin)::text, "
      "    CASE WHEN h.new_label_id IS NOT NULL THEN "
      "      jsonb_build_object('label_id', h.new_label_id, 'origin', h.new_origin)::text END "
      "  FROM rebound.vote_history h JOIN rebound.messages m ON m.id = h.message_id "
      "  JOIN rebound.contributed_texts t ON t.digest = m.digest "
      "    AND t.normaliser_version = m.normaliser_version "
      "  WHERE t.id IN (SELECT text_id FROM own) "
      "  UNION ALL "
      "  SELECT v.created_at, 0, v.contributor, 'votes', 'insert', NULL, "
      "    jsonb_build_object('label_id', v.label_id, 'origin', v.origin)::text "
      "  FROM rebound.message_labels v JOIN rebound.messages m ON m.id = v.message_id "
      "  JOIN rebound.contributed_texts t ON t.digest = m.digest "
      "    AND t.normaliser_version = m.normaliser_version "
      "  WHERE t.id IN (SELECT text_id FROM own)) "
      "SELECT " +
          Time("at") + ", actor, entity, action, " + Named("before") + ", " + Named("after") +
          " FROM events ORDER BY at, place",
      {SqlInt(proposal)});
  if (rows.size() == 0)
    throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(proposal));
  std::vector<HistoryEntry> history;
  for (size_t row = 0; row < rows.size(); ++row) {
    history.push_back({std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1)),
                       std::string(rows.Text(row, 2)), std::string(rows.Text(row, 3)),
                       std::string(rows.Text(row, 4)), std::string(rows.Text(row, 5))});
  }
  return history;
}

std::vector<TaskAgreement> ReadAgreement(SqlTransaction& sql, const LabelCatalog& catalog) {
  // An adjudicator knows what the others said: only independent reviews are compared.
  const SqlRows rows = sql.Execute(
      "SELECT r.proposal_id, r.reviewer, l.label_id, p.label_id FROM rebound.reviews r "
      "JOIN rebound.proposal_labels p ON p.proposal_id = r.proposal_id "
      "LEFT JOIN rebound.review_labels l ON l.review_id = r.id "
      "  AND l.label_set_id = p.label_set_id "
      "WHERE r.undone_at IS NULL AND NOT r.adjudication AND r.decision <> 'skip' "
      "AND coalesce(l.label_id, p.label_id) IS NOT NULL");
  std::array<Ratings, kTaskCount> ratings;
  for (size_t row = 0; row < rows.size(); ++row) {
    const bool rejected = rows.IsNull(row, 2);
    const auto [task, label] = catalog.PositionOf(rows.Int(row, rejected ? 3 : 2));
    ratings[Index(task)][rows.Int(row, 0)][std::string(rows.Text(row, 1))] =
        rejected ? TaskLabels(task).size() : static_cast<size_t>(label);
  }
  std::vector<TaskAgreement> agreements;
  for (const Task task : kTasks) agreements.push_back(AgreementOfTask(task, ratings[Index(task)]));
  return agreements;
}

ClusterView ReadCluster(SqlTransaction& sql, const LabelCatalog& catalog, int64_t proposal,
                        int64_t most) {
  const SqlRows cluster = sql.Execute(
      "SELECT c.id, c.volume, (SELECT count(*) FROM rebound.proposals q "
      "  JOIN rebound.contributed_texts s ON s.id = q.text_id WHERE s.cluster_id = c.id) "
      "FROM rebound.proposals p JOIN rebound.contributed_texts t ON t.id = p.text_id "
      "JOIN rebound.clusters c ON c.id = t.cluster_id WHERE p.id = $1::bigint",
      {SqlInt(proposal)});
  if (cluster.size() == 0)
    throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(proposal));
  ClusterView view;
  view.id = cluster.Int(0, 0);
  view.volume = cluster.Int(0, 1);
  view.total = cluster.Int(0, 2);
  const std::vector<int64_t> served = WithCluster(sql, {proposal});
  view.served = static_cast<int64_t>(served.size());
  SqlArray all;
  for (const int64_t id : served) all.AddInt(id);
  const auto told = std::min<size_t>(served.size(), static_cast<size_t>(most));
  std::vector<int64_t> ids(served.rbegin(), served.rbegin() + static_cast<std::ptrdiff_t>(told));
  const SqlRows others = sql.Execute(
      "SELECT p.id FROM rebound.proposals p JOIN rebound.contributed_texts t ON t.id = p.text_id "
      "WHERE t.cluster_id = $1::bigint AND NOT (p.id = ANY ($2::bigint[])) "
      "ORDER BY p.id DESC LIMIT $3::bigint",
      {SqlInt(view.id), all.Take(), SqlInt(most - static_cast<int64_t>(told))});
  for (size_t row = 0; row < others.size(); ++row) ids.push_back(others.Int(row, 0));
  for (ProposalView& each : ReadProposals(sql, catalog, ids)) {
    const bool is_served = view.proposals.size() < told;
    view.proposals.emplace_back(std::move(each), is_served);
  }
  return view;
}

std::vector<ContributorRecord> ReadContributors(SqlTransaction& sql) {
  const SqlRows rows = sql.Execute(
      "SELECT name, agreed, disagreed, coalesce(held_reason, '') FROM rebound.contributors "
      "ORDER BY weight, name");
  std::vector<ContributorRecord> records;
  std::map<std::string, size_t> places;
  for (size_t row = 0; row < rows.size(); ++row) {
    ContributorRecord record;
    record.name = rows.Text(row, 0);
    record.agreed = rows.Int(row, 1);
    record.disagreed = rows.Int(row, 2);
    record.weight = ContributorWeight(record.agreed, record.disagreed);
    record.held_reason = rows.Text(row, 3);
    places[record.name] = records.size();
    records.push_back(std::move(record));
  }
  const SqlRows counts = sql.Execute(
      "SELECT contributor, status, count(*) FROM rebound.proposals GROUP BY contributor, status");
  for (size_t row = 0; row < counts.size(); ++row) {
    const auto place = places.find(std::string(counts.Text(row, 0)));
    if (place == places.end()) continue;
    records[place->second].proposals[std::string(counts.Text(row, 1))] = counts.Int(row, 2);
  }
  return records;
}

std::vector<QuarantineHit> ReadQuarantineHits(SqlTransaction& sql) {
  const SqlRows rows = sql.Execute("SELECT id, contributor, rule, detail, proposals, " +
                                   Time("hit_at") + ", " + Time("released_at") +
                                   ", coalesce(released_by, '') FROM rebound.quarantine_hits "
                                   "ORDER BY id DESC");
  std::vector<QuarantineHit> hits;
  for (size_t row = 0; row < rows.size(); ++row) {
    QuarantineHit hit;
    hit.id = rows.Int(row, 0);
    hit.contributor = rows.Text(row, 1);
    hit.rule = rows.Text(row, 2);
    hit.detail = rows.Text(row, 3);
    hit.proposals = rows.Int(row, 4);
    hit.hit_at = rows.Text(row, 5);
    hit.released_at = rows.Text(row, 6);
    hit.released_by = rows.Text(row, 7);
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace rebound
