// The rows that ContributorWriter writes: rules, proposals, labels, deliveries.
#include <map>

#include "labelstore/contributor_writer.h"

namespace rebound {

bool ContributorWriter::IsOverLimit(std::string* problem) const {
  if (fresh_.empty() && changed_.empty()) return false;
  if (open_ > settings_.limits.open) {
    *problem = contributor_ + " would have " + std::to_string(open_) +
               " proposals waiting for review and may have " +
               std::to_string(settings_.limits.open) + ": send more once some are decided";
    return true;
  }
  if (activity_.last_day > settings_.limits.per_day) {
    *problem = contributor_ + " would have sent " + std::to_string(activity_.last_day) +
               " proposals within a day and may send " + std::to_string(settings_.limits.per_day) +
               ": send the others tomorrow";
    return true;
  }
  return false;
}

std::string ContributorWriter::HoldReason() {
  if (fresh_.empty() && changed_.empty()) return "";
  const SqlRows held = sql_.Execute(
      "SELECT coalesce(held_reason, '') FROM rebound.contributors WHERE name = $1", {contributor_});
  if (!held.Text(0, 0).empty()) return std::string(held.Text(0, 0));
  // What the finder and shadows propose is no one's attack.
  if (proposals_[own_.front()].source != ProposalSource::kContribution) return "";
  const auto hit = Quarantine(activity_, settings_.rules);
  if (!hit) return "";
  sql_.Execute("UPDATE rebound.contributors SET held_reason = $2, held_at = now() WHERE name = $1",
               {contributor_, hit->rule});
  int64_t count = static_cast<int64_t>(fresh_.size() + changed_.size());
  if (hit->rule == "poisoning") {
    // The first ones came before there were enough to see it.
    count += sql_.Execute(
                     "UPDATE rebound.proposals SET status = 'quarantined', reason = $2 "
                     "WHERE contributor = $1 AND status IN ('pending', 'disputed') "
                     "AND cost >= $3::real",
                     {contributor_, hit->rule, SqlReal(kPoisonCost)})
                 .affected();
  }
  sql_.Execute(
      "INSERT INTO rebound.quarantine_hits (contributor, rule, detail, proposals) "
      "VALUES ($1, $2, $3, $4::bigint)",
      {contributor_, hit->rule, hit->detail, SqlInt(count)});
  return hit->rule;
}

void ContributorWriter::WriteNew(const std::string& hold) {
  if (fresh_.empty()) return;
  SqlArray ids, texts, comments, sources, disagreements, uncertainties, costs, suspicions;
  for (const size_t at : fresh_) {
    Standing& standing = StandingOf(at);
    const Proposal& last = proposals_[standing.last];
    const ProposalScores scores = ScoresOf(standing);
    standing.status = hold.empty() ? ProposalStatus::kPending : ProposalStatus::kQuarantined;
    ids.AddInt(standing.id);
    texts.AddInt(texts_.at(checked_[at].message.digest).id);
    comments.Add(checked_[standing.last].comment);
    sources.Add(SourceName(last.source));
    disagreements.Add(SqlReal(scores.disagreement));
    uncertainties.Add(SqlReal(scores.uncertainty));
    costs.Add(SqlReal(scores.cost));
    suspicions.Add(SqlReal(last.suspicion));
  }
  sql_.Execute(
      "INSERT INTO rebound.proposals (id, text_id, contributor, comment, source, status, reason, "
      "disagreement, uncertainty, cost, suspicion) "
      "SELECT i, t, $1, c, s, $2::rebound.proposal_status, $3, d, u, k, p FROM unnest("
      "$4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::real[], $9::real[], $10::real[], "
      "$11::real[]) AS incoming (i, t, c, s, d, u, k, p)",
      {contributor_, hold.empty() ? "pending" : "quarantined", hold, ids.Take(), texts.Take(),
       comments.Take(), sources.Take(), disagreements.Take(), uncertainties.Take(), costs.Take(),
       suspicions.Take()});
}

void ContributorWriter::WriteChanged(const std::string& hold) {
  if (changed_.empty()) return;
  SqlArray ids, statuses, reasons, comments, disagreements, uncertainties, costs;
  for (const size_t at : changed_) {
    Standing& standing = StandingOf(at);
    const ProposalScores scores = ScoresOf(standing);
    const bool was_aside = standing.status == ProposalStatus::kQuarantined;
    if (!hold.empty()) standing.status = ProposalStatus::kQuarantined;
    ids.AddInt(standing.id);
    statuses.Add(StatusName(standing.status));
    reasons.Add(was_aside ? "" : hold);
    comments.Add(checked_[standing.last].comment);
    disagreements.Add(SqlReal(scores.disagreement));
    uncertainties.Add(SqlReal(scores.uncertainty));
    costs.Add(SqlReal(scores.cost));
  }
  const SqlValue all = ids.Take();
  sql_.Execute(
      "UPDATE rebound.proposals p SET status = s::rebound.proposal_status, changed_at = now(), "
      "reason = CASE WHEN r <> '' THEN r ELSE reason END, "
      "comment = CASE WHEN c <> '' THEN c ELSE comment END, "
      "disagreement = d, uncertainty = u, cost = k FROM unnest($1::bigint[], $2::text[], "
      "$3::text[], $4::text[], $5::real[], $6::real[], $7::real[]) "
      "AS incoming (i, s, r, c, d, u, k) WHERE p.id = i",
      {all, statuses.Take(), reasons.Take(), comments.Take(), disagreements.Take(),
       uncertainties.Take(), costs.Take()});
  sql_.Execute(
      "UPDATE rebound.reviews SET undone_at = now() "
      "WHERE proposal_id = ANY ($1::bigint[]) AND undone_at IS NULL",
      {all});
}

void ContributorWriter::WriteLabels() {
  SqlArray ids, tasks, labels, model_labels, probabilities, versions;
  bool any = false;
  for (const Standing* standing : Moved()) {
    for (size_t task = 0; task < kTaskCount; ++task) {
      const auto& label = standing->labels[task];
      const auto& answer = proposals_[standing->last].model[task];
      if (!label && !answer) continue;
      any = true;
      ids.AddInt(standing->id);
      tasks.AddInt(catalog_.task_ids[task]);
      label ? labels.AddInt(catalog_.label_ids[task][*label]) : labels.AddNull();
      if (answer) {
        model_labels.AddInt(catalog_.label_ids[task][answer->label]);
        probabilities.Add(SqlReal(answer->probability));
        versions.AddInt(answer->version);
      } else {
        model_labels.AddNull();
        probabilities.AddNull();
        versions.AddNull();
      }
    }
  }
  if (!any) return;
  sql_.Execute(
      "INSERT INTO rebound.proposal_labels AS old (proposal_id, label_set_id, label_id, "
      "model_label_id, model_probability, model_version) SELECT * FROM unnest($1::bigint[], "
      "$2::smallint[], $3::smallint[], $4::smallint[], $5::real[], $6::int[]) "
      "ON CONFLICT (proposal_id, label_set_id) DO UPDATE SET label_id = EXCLUDED.label_id, "
      "model_label_id = coalesce(EXCLUDED.model_label_id, old.model_label_id), "
      "model_probability = coalesce(EXCLUDED.model_probability, old.model_probability), "
      "model_version = coalesce(EXCLUDED.model_version, old.model_version)",
      {ids.Take(), tasks.Take(), labels.Take(), model_labels.Take(), probabilities.Take(),
       versions.Take()});
}

void ContributorWriter::WriteDeliveries(const ProposeResult& result) {
  SqlArray deliveries, ids, outcomes;
  bool any = false;
  for (const size_t at : own_) {
    if (proposals_[at].delivery_id.empty()) continue;
    any = true;
    deliveries.Add(proposals_[at].delivery_id);
    ids.AddInt(result.items[at].id);
    outcomes.Add(OutcomeName(result.items[at].outcome));
  }
  if (!any) return;
  sql_.Execute(
      "INSERT INTO rebound.deliveries (delivery_id, proposal_id, outcome) "
      "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])",
      {deliveries.Take(), ids.Take(), outcomes.Take()});
}

void ContributorWriter::CountVolume() {
  std::map<int64_t, int64_t> volumes;
  for (const size_t at : own_) ++volumes[texts_.at(checked_[at].message.digest).cluster_id];
  SqlArray ids, counts;
  for (const auto& [id, count] : volumes) {
    ids.AddInt(id);
    counts.AddInt(count);
  }
  sql_.Execute(
      "UPDATE rebound.clusters c SET volume = volume + n "
      "FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS incoming (i, n) ORDER BY i) s "
      "WHERE c.id = s.i",
      {ids.Take(), counts.Take()});
}

}  // namespace rebound
