#include "labelstore/review_writer.h"

#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "labelstore/contributed_text.h"
#include "labelstore/label_store.h"
#include "labelstore/proposal_rows.h"
#include "labelstore/proposal_writer.h"

namespace rebound {
namespace {

SqlValue ArrayOf(const std::vector<int64_t>& ids) {
  SqlArray array;
  for (const int64_t id : ids) array.AddInt(id);
  return array.Take();
}

// What a decision stands for about this proposal.
ReviewVoice VoiceOf(const ReviewRequest& request, const ProposalView& proposal) {
  ReviewVoice voice{request.decision, {}, request.adjudicate};
  if (request.decision != ReviewDecision::kAccept && request.decision != ReviewDecision::kRelabel) {
    return voice;
  }
  for (size_t task = 0; task < kTaskCount; ++task) {
    voice.labels[task] = request.labels[task] ? request.labels[task] : proposal.labels[task];
  }
  return voice;
}

// Whether what was said holds: the proposal waits for others to say so too, or stands decided so.
bool Stands(const ReviewVoice& said, const ProposalView& proposal) {
  if (IsOpen(proposal.status)) return true;
  const Settlement settled = Settle({said}, 1);
  return settled.status == proposal.status && settled.labels == proposal.decided;
}

// Active reviews by proposal, in order of time.
std::map<int64_t, std::vector<ReviewVoice>> ReadVoices(SqlTransaction& sql,
                                                       const LabelCatalog& catalog,
                                                       const SqlValue& ids) {
  const SqlRows rows = sql.Execute(
      "SELECT r.proposal_id, r.id, r.decision, r.adjudication, l.label_id FROM rebound.reviews r "
      "LEFT JOIN rebound.review_labels l ON l.review_id = r.id "
      "WHERE r.proposal_id = ANY ($1::bigint[]) AND r.undone_at IS NULL ORDER BY r.id",
      {ids});
  std::map<int64_t, std::vector<ReviewVoice>> voices;
  int64_t last = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    auto& own = voices[rows.Int(row, 0)];
    if (rows.Int(row, 1) != last) {
      last = rows.Int(row, 1);
      own.push_back({ParseDecision(rows.Text(row, 2)).value(), {}, rows.Bool(row, 3)});
    }
    if (rows.IsNull(row, 4)) continue;
    const auto [task, label] = catalog.PositionOf(rows.Int(row, 4));
    own.back().labels[Index(task)] = static_cast<size_t>(label);
  }
  return voices;
}

void WriteStatuses(SqlTransaction& sql, const LabelCatalog& catalog,
                   const std::vector<ProposalView>& proposals,
                   const std::map<int64_t, Settlement>& settled) {
  SqlArray ids, statuses, agreed, disagreed, label_ids, tasks, labels;
  bool any_label = false;
  for (const ProposalView& proposal : proposals) {
    const Settlement& now = settled.at(proposal.id);
    const Agreement agreement = AgreementOf(proposal.labels, now);
    ids.AddInt(proposal.id);
    statuses.Add(StatusName(now.status));
    agreed.AddInt(agreement.agreed);
    disagreed.AddInt(agreement.disagreed);
    for (size_t task = 0; task < kTaskCount; ++task) {
      if (!proposal.labels[task] && !proposal.model[task] && !now.labels[task]) continue;
      any_label = true;
      label_ids.AddInt(proposal.id);
      tasks.AddInt(catalog.task_ids[task]);
      now.labels[task] ? labels.AddInt(catalog.label_ids[task][*now.labels[task]])
                       : labels.AddNull();
    }
  }
  // The contributors' records first: they need what the proposal added before.
  const SqlValue all = ids.Take(), all_agreed = agreed.Take(), all_disagreed = disagreed.Take();
  sql.Execute(
      "UPDATE rebound.contributors c SET agreed = greatest(0, c.agreed + d.agreed), "
      "disagreed = greatest(0, c.disagreed + d.disagreed) FROM ("
      "  SELECT p.contributor, sum(a - p.agreed) AS agreed, sum(b - p.disagreed) AS disagreed "
      "  FROM rebound.proposals p JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) "
      "  AS incoming (i, a, b) ON i = p.id GROUP BY p.contributor) d "
      "WHERE c.name = d.contributor AND (d.agreed <> 0 OR d.disagreed <> 0)",
      {all, all_agreed, all_disagreed});
  sql.Execute(
      "UPDATE rebound.proposals p SET status = s::rebound.proposal_status, agreed = a, "
      "disagreed = b, decided_at = CASE WHEN s NOT IN ('approved', 'rejected', 'skipped') THEN "
      "NULL "
      "ELSE now() END FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::smallint[]) "
      "AS incoming (i, s, a, b) WHERE p.id = i "
      "AND (p.status::text, p.agreed, p.disagreed) IS DISTINCT FROM (s, a, b)",
      {all, statuses.Take(), all_agreed, all_disagreed});
  if (!any_label) return;
  sql.Execute(
      "INSERT INTO rebound.proposal_labels AS old (proposal_id, label_set_id, decided_label_id) "
      "SELECT i, t, l FROM unnest($1::bigint[], $2::smallint[], $3::smallint[]) "
      "AS incoming (i, t, l) ON CONFLICT (proposal_id, label_set_id) DO UPDATE "
      "SET decided_label_id = EXCLUDED.decided_label_id "
      "WHERE old.decided_label_id IS DISTINCT FROM EXCLUDED.decided_label_id",
      {label_ids.Take(), tasks.Take(), labels.Take()});
}

// The votes that texts ($1) should have: of each reviewer the last review that went into a
// decision, as far as it was followed.
constexpr const char* kDesiredVotes =
    "WITH desired AS ("
    "  SELECT DISTINCT ON (m.id, l.label_set_id, r.reviewer) m.id AS message_id, l.label_set_id, "
    "    'review:' || r.reviewer AS contributor, l.label_id "
    "  FROM rebound.contributed_texts t "
    "  JOIN rebound.messages m ON m.digest = t.digest "
    "    AND m.normaliser_version = t.normaliser_version "
    "  JOIN rebound.proposals p ON p.text_id = t.id AND p.status = 'approved' "
    "  JOIN rebound.reviews r ON r.proposal_id = p.id AND r.undone_at IS NULL "
    "    AND r.decision IN ('accept', 'relabel') "
    "  JOIN rebound.review_labels l ON l.review_id = r.id "
    "  JOIN rebound.proposal_labels d ON d.proposal_id = p.id "
    "    AND d.label_set_id = l.label_set_id AND d.decided_label_id = l.label_id "
    "  WHERE t.id = ANY ($1::bigint[]) "
    "  ORDER BY m.id, l.label_set_id, r.reviewer, r.id DESC) ";

void WriteMessages(SqlTransaction& sql, const SqlValue& texts) {
  const SqlRows rows = sql.Execute(
      "SELECT encode(t.digest, 'hex'), t.normaliser_version, t.text, t.split_group "
      "FROM rebound.contributed_texts t WHERE t.id = ANY ($1::bigint[]) "
      "AND EXISTS (SELECT 1 FROM rebound.proposals p WHERE p.text_id = t.id "
      "  AND p.status = 'approved') "
      "AND NOT EXISTS (SELECT 1 FROM rebound.messages m WHERE m.digest = t.digest "
      "  AND m.normaliser_version = t.normaliser_version)",
      {texts});
  SqlArray digests, versions, bodies, groups, held_out;
  for (size_t row = 0; row < rows.size(); ++row) {
    digests.AddHex(rows.Text(row, 0));
    versions.AddInt(rows.Int(row, 1));
    bodies.Add(rows.Text(row, 2));
    groups.Add(rows.Text(row, 3));
    held_out.AddBool(IsHeldOut(rows.Text(row, 3)));
  }
  if (rows.size() == 0) return;
  sql.Execute(
      "INSERT INTO rebound.messages (digest, normaliser_version, text, split_group, held_out) "
      "SELECT d, v, t, g, h FROM unnest($1::bytea[], $2::int[], $3::text[], $4::text[], "
      "$5::bool[]) AS incoming (d, v, t, g, h) ORDER BY d "
      "ON CONFLICT (digest, normaliser_version) DO NOTHING",
      {digests.Take(), versions.Take(), bodies.Take(), groups.Take(), held_out.Take()});
}

void WriteVotes(SqlTransaction& sql, const std::vector<int64_t>& proposals) {
  const SqlRows rows = sql.Execute(
      "SELECT DISTINCT text_id FROM rebound.proposals WHERE id = ANY ($1::bigint[]) ORDER BY 1",
      {ArrayOf(proposals)});
  SqlArray ids;
  for (size_t row = 0; row < rows.size(); ++row) ids.AddInt(rows.Int(row, 0));
  const SqlValue texts = ids.Take();
  // Two decisions about one text at once: the second sees what the first did.
  sql.Execute(
      "SELECT id FROM rebound.contributed_texts WHERE id = ANY ($1::bigint[]) ORDER BY id "
      "FOR NO KEY UPDATE",
      {texts});
  WriteMessages(sql, texts);
  WithdrawVotes(sql, texts);
  sql.Execute(std::string(kDesiredVotes) +
                  "INSERT INTO rebound.message_labels AS old "
                  "(message_id, label_set_id, contributor, label_id, origin) "
                  "SELECT message_id, label_set_id, contributor, label_id, 'review' FROM desired "
                  "ORDER BY 1, 2, 3 ON CONFLICT (message_id, label_set_id, contributor) DO UPDATE "
                  "SET label_id = EXCLUDED.label_id, origin = EXCLUDED.origin, created_at = now() "
                  "WHERE (old.label_id, old.origin) IS DISTINCT FROM "
                  "(EXCLUDED.label_id, EXCLUDED.origin)",
              {texts});
}

}  // namespace

int64_t WithdrawVotes(SqlTransaction& sql, const SqlValue& texts) {
  return sql
      .Execute(std::string(kDesiredVotes) +
                   "DELETE FROM rebound.message_labels v USING rebound.messages m, "
                   "rebound.contributed_texts t WHERE t.id = ANY ($1::bigint[]) "
                   "AND m.digest = t.digest AND m.normaliser_version = t.normaliser_version "
                   "AND v.message_id = m.id AND v.contributor LIKE 'review:%' "
                   "AND NOT EXISTS (SELECT 1 FROM desired d WHERE d.message_id = v.message_id "
                   "AND d.label_set_id = v.label_set_id AND d.contributor = v.contributor)",
               {texts})
      .affected();
}

void LockProposals(SqlTransaction& sql, const std::vector<int64_t>& ids) {
  const SqlRows rows = sql.Execute(
      "SELECT id FROM rebound.proposals WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE",
      {ArrayOf(ids)});
  std::set<int64_t> found;
  for (size_t row = 0; row < rows.size(); ++row) found.insert(rows.Int(row, 0));
  for (const int64_t id : ids) {
    if (!found.contains(id)) {
      throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(id));
    }
  }
}

std::vector<int64_t> WithCluster(SqlTransaction& sql, const std::vector<int64_t>& ids) {
  const SqlRows rows = sql.Execute(
      "WITH said AS ("
      "  SELECT p.id, p.status, t.cluster_id, (SELECT array_agg(l.label_id ORDER BY l.label_id) "
      "    FROM rebound.proposal_labels l WHERE l.proposal_id = p.id AND l.label_id IS NOT NULL) "
      "    AS labels "
      "  FROM rebound.proposals p JOIN rebound.contributed_texts t ON t.id = p.text_id "
      "  WHERE t.cluster_id IN (SELECT s.cluster_id FROM rebound.contributed_texts s "
      "    JOIN rebound.proposals q ON q.text_id = s.id WHERE q.id = ANY ($1::bigint[]))) "
      "SELECT a.id FROM said a WHERE a.id = ANY ($1::bigint[]) "
      "OR (a.status IN ('pending', 'disputed') AND EXISTS (SELECT 1 FROM said b "
      "  WHERE b.id = ANY ($1::bigint[]) AND b.cluster_id = a.cluster_id AND b.labels = a.labels)) "
      "ORDER BY 1",
      {ArrayOf(ids)});
  std::vector<int64_t> all;
  for (size_t row = 0; row < rows.size(); ++row) all.push_back(rows.Int(row, 0));
  return all;
}

std::vector<ProposalView> Unsaid(SqlTransaction& sql, const LabelCatalog& catalog,
                                 const ReviewRequest& request,
                                 const std::vector<ProposalView>& proposals) {
  SqlArray ids;
  for (const ProposalView& proposal : proposals) ids.AddInt(proposal.id);
  const SqlRows rows = sql.Execute(
      "SELECT r.proposal_id, r.decision, r.adjudication, r.notes, l.label_id "
      "FROM rebound.reviews r LEFT JOIN rebound.review_labels l ON l.review_id = r.id "
      "WHERE r.proposal_id = ANY ($1::bigint[]) AND r.reviewer = $2 AND r.undone_at IS NULL",
      {ids.Take(), request.reviewer});
  const std::string notes = MaskContribution(request.notes);
  std::map<int64_t, ReviewVoice> said;
  std::set<int64_t> noted;  // with other notes
  for (size_t row = 0; row < rows.size(); ++row) {
    ReviewVoice& voice = said[rows.Int(row, 0)];
    voice.decision = ParseDecision(rows.Text(row, 1)).value();
    voice.adjudication = rows.Bool(row, 2);
    if (!notes.empty() && rows.Text(row, 3) != notes) noted.insert(rows.Int(row, 0));
    if (rows.IsNull(row, 4)) continue;
    const auto [task, label] = catalog.PositionOf(rows.Int(row, 4));
    voice.labels[Index(task)] = static_cast<size_t>(label);
  }
  std::vector<ProposalView> unsaid;
  for (const ProposalView& proposal : proposals) {
    const auto own = said.find(proposal.id);
    const ReviewVoice says = VoiceOf(request, proposal);
    const bool same = own != said.end() && !noted.contains(proposal.id) &&
                      Settle({own->second}, 1) == Settle({says}, 1) &&
                      (own->second.adjudication || !says.adjudication) &&
                      Stands(own->second, proposal);
    if (!same) unsaid.push_back(proposal);
  }
  return unsaid;
}

void WriteReviews(SqlTransaction& sql, const LabelCatalog& catalog, const ReviewRequest& request,
                  const std::vector<ProposalView>& proposals, int64_t batch) {
  SqlArray targets, sources, tasks, labels;
  bool any_label = false;
  for (const ProposalView& proposal : proposals) {
    targets.AddInt(proposal.id);
    const LabelChoice chosen = VoiceOf(request, proposal).labels;
    for (size_t task = 0; task < kTaskCount; ++task) {
      const auto& label = chosen[task];
      if (!label) continue;
      any_label = true;
      sources.AddInt(proposal.id);
      tasks.AddInt(catalog.task_ids[task]);
      labels.AddInt(catalog.label_ids[task][*label]);
    }
  }
  const SqlValue all = targets.Take();
  const SqlRows before = sql.Execute(
      "UPDATE rebound.reviews SET undone_at = now() WHERE proposal_id = ANY ($1::bigint[]) "
      "AND reviewer = $2 AND undone_at IS NULL RETURNING id",
      {all, request.reviewer});
  SqlArray superseded;
  for (size_t row = 0; row < before.size(); ++row) superseded.AddInt(before.Int(row, 0));
  sql.Execute(
      "INSERT INTO rebound.reviews (proposal_id, reviewer, decision, adjudication, batch_id, "
      "notes) "
      "SELECT i, $2, $3::rebound.review_decision, $4::bool, $5::bigint, $6 "
      "FROM unnest($1::bigint[]) AS incoming (i) ORDER BY i",
      {all, request.reviewer, std::string(DecisionName(request.decision)),
       request.adjudicate ? "t" : "f", SqlInt(batch), MaskComment(request.notes)});
  sql.Execute(
      "UPDATE rebound.reviews old SET superseded_by = new.id FROM rebound.reviews new "
      "WHERE old.id = ANY ($1::bigint[]) AND new.batch_id = $2::bigint "
      "AND new.proposal_id = old.proposal_id",
      {superseded.Take(), SqlInt(batch)});
  if (!any_label) return;
  sql.Execute(
      "INSERT INTO rebound.review_labels (review_id, label_set_id, label_id) "
      "SELECT r.id, t, l FROM unnest($1::bigint[], $2::smallint[], $3::smallint[]) "
      "AS incoming (i, t, l) JOIN rebound.reviews r ON r.proposal_id = i "
      "AND r.batch_id = $4::bigint",
      {sources.Take(), tasks.Take(), labels.Take(), SqlInt(batch)});
}

void ApplyReviews(SqlTransaction& sql, const LabelCatalog& catalog, const std::vector<int64_t>& ids,
                  size_t overlap) {
  const std::vector<ProposalView> proposals = ReadProposals(sql, catalog, ids);
  const auto voices = ReadVoices(sql, catalog, ArrayOf(ids));
  std::map<int64_t, Settlement> settled;
  for (const ProposalView& proposal : proposals) {
    const auto own = voices.find(proposal.id);
    Settlement& now = settled[proposal.id];
    if (own != voices.end()) now = Settle(own->second, overlap);
    // What a rule set aside and nobody rejected stays aside.
    if (IsOpen(now.status) && !proposal.reason.empty()) now.status = ProposalStatus::kQuarantined;
  }
  WriteStatuses(sql, catalog, proposals, settled);
  WriteVotes(sql, ids);
}

}  // namespace rebound
