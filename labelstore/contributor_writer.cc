#include "labelstore/contributor_writer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "labelstore/clusters.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// Delivery ids leave the database in lower case.
std::string AsLower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  return text;
}

ProposeOutcome ParseOutcome(std::string_view name) {
  for (const auto outcome :
       {ProposeOutcome::kInserted, ProposeOutcome::kDuplicate, ProposeOutcome::kRelabelled}) {
    if (OutcomeName(outcome) == name) return outcome;
  }
  throw Error(ErrorCode::kInternal, "the store holds an unknown outcome");
}

}  // namespace

ContributorWriter::ContributorWriter(SqlTransaction& sql, const LabelCatalog& catalog,
                                     const std::vector<Proposal>& proposals,
                                     const std::vector<CheckedProposal>& checked,
                                     std::vector<size_t> own, const ProposalStoreOptions& settings)
    : sql_(sql),
      catalog_(catalog),
      proposals_(proposals),
      checked_(checked),
      settings_(settings),
      own_(std::move(own)),
      contributor_(proposals[own_.front()].contributor) {}

bool ContributorWriter::Write(bool limited, ProposeResult* result) {
  sql_.Execute("INSERT INTO rebound.contributors (name) VALUES ($1) ON CONFLICT (name) DO NOTHING",
               {contributor_});
  TakeKnownDeliveries(result);
  if (own_.empty()) return true;
  WriteTexts();
  ReadStandings();
  ReadShadowed();
  for (const size_t at : own_) {
    // A second word on a text is a vote of its own, with its own line in the audit.
    const Standing& standing = StandingOf(at);
    if ((standing.is_new || standing.is_changed) && !Flush(limited, result)) return false;
    Apply(at, result);
  }
  if (!Flush(limited, result)) return false;
  WriteDeliveries(*result);
  CountVolume();
  for (const size_t at : own_) result->items[at].status = StandingOf(at).status;
  return true;
}

bool ContributorWriter::Flush(bool limited, ProposeResult* result) {
  if (fresh_.empty() && changed_.empty()) return true;
  ReadActivity();
  if (limited && IsOverLimit(&result->problem)) return false;
  const std::string hold = HoldReason();
  WriteNew(hold);
  WriteChanged(hold);
  WriteLabels();
  for (Standing* standing : Moved()) standing->is_new = standing->is_changed = false;
  fresh_.clear();
  changed_.clear();
  return true;
}

void ContributorWriter::TakeKnownDeliveries(ProposeResult* result) {
  SqlArray ids;
  bool any = false;
  for (const size_t at : own_) {
    if (proposals_[at].delivery_id.empty()) continue;
    ids.Add(proposals_[at].delivery_id);
    any = true;
  }
  if (!any) return;
  const SqlRows rows = sql_.Execute(
      // A proposal that was forgotten since had been set aside.
      "SELECT d.delivery_id::text, d.proposal_id, d.outcome, coalesce(p.status, 'rejected') "
      "FROM rebound.deliveries d LEFT JOIN rebound.proposals p ON p.id = d.proposal_id "
      "WHERE d.delivery_id = ANY ($1::uuid[])",
      {ids.Take()});
  std::unordered_map<std::string, Proposed> known;
  for (size_t row = 0; row < rows.size(); ++row) {
    Proposed& answer = known[std::string(rows.Text(row, 0))];
    answer.id = rows.Int(row, 1);
    answer.outcome = ParseOutcome(rows.Text(row, 2));
    answer.status = ParseProposalStatus(rows.Text(row, 3)).value();
  }
  std::vector<size_t> left;
  std::set<std::string> seen;
  for (const size_t at : own_) {
    const std::string id = AsLower(proposals_[at].delivery_id);
    const auto found = known.find(id);
    if (found != known.end()) {
      result->items[at] = found->second;
      result->items[at].text = checked_[at].message.text;
      continue;
    }
    if (!id.empty() && !seen.insert(id).second) {
      throw Error(ErrorCode::kInvalidArgument, "proposal " + std::to_string(at) +
                                                   " has the delivery id of another of this call");
    }
    left.push_back(at);
  }
  own_ = std::move(left);
}

void ContributorWriter::ReadTexts(const SqlValue& digests) {
  const SqlRows rows = sql_.Execute(
      "SELECT encode(digest, 'hex'), id, cluster_id FROM rebound.contributed_texts "
      "WHERE digest = ANY ($1::bytea[]) AND normaliser_version = $2::int",
      {digests, SqlInt(kNormaliserVersion)});
  for (size_t row = 0; row < rows.size(); ++row) {
    texts_[std::string(rows.Text(row, 0))] = {rows.Int(row, 1), rows.Int(row, 2)};
  }
}

void ContributorWriter::WriteTexts() {
  std::map<std::string_view, const Message*> messages;  // by digest, so that locks have one order
  for (const size_t at : own_) {
    messages.try_emplace(checked_[at].message.digest, &checked_[at].message);
  }
  SqlArray wanted;
  for (const auto& [digest, message] : messages) wanted.AddHex(digest);
  const SqlValue all = wanted.Take();
  ReadTexts(all);
  std::vector<const Message*> missing;
  std::vector<std::string> masked;
  for (const auto& [digest, message] : messages) {
    if (texts_.contains(std::string(digest))) continue;
    missing.push_back(message);
    masked.push_back(message->text);
  }
  if (missing.empty()) return;
  const std::vector<int64_t> clusters = AssignClusters(sql_, masked);
  SqlArray digests, texts, groups, cluster_ids;
  for (size_t i = 0; i < missing.size(); ++i) {
    digests.AddHex(missing[i]->digest);
    texts.Add(missing[i]->text);
    groups.Add(missing[i]->group);
    cluster_ids.AddInt(clusters[i]);
  }
  sql_.Execute(
      "INSERT INTO rebound.contributed_texts "
      "(digest, text, split_group, cluster_id, normaliser_version) "
      "SELECT d, t, g, c, $5::int FROM "
      "unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[]) AS incoming (d, t, g, c) "
      "ORDER BY d ON CONFLICT (digest, normaliser_version) DO NOTHING",
      {digests.Take(), texts.Take(), groups.Take(), cluster_ids.Take(),
       SqlInt(kNormaliserVersion)});
  ReadTexts(all);
}

void ContributorWriter::ReadStandings() {
  SqlArray ids;
  for (const auto& [digest, text] : texts_) ids.AddInt(text.id);
  const SqlRows rows = sql_.Execute(
      "SELECT s.text_id, s.id, s.status, l.label_id FROM ("
      "  SELECT DISTINCT ON (text_id) text_id, id, status FROM rebound.proposals "
      "  WHERE contributor = $2 AND text_id = ANY ($1::bigint[]) "
      "  ORDER BY text_id, (decided_at IS NULL) DESC, id DESC) s "
      "LEFT JOIN rebound.proposal_labels l ON l.proposal_id = s.id AND l.label_id IS NOT NULL",
      {ids.Take(), contributor_});
  for (size_t row = 0; row < rows.size(); ++row) {
    Standing& standing = standings_[rows.Int(row, 0)];
    standing.id = rows.Int(row, 1);
    standing.status = ParseProposalStatus(rows.Text(row, 2)).value();
    if (rows.IsNull(row, 3)) continue;
    const auto [task, label] = catalog_.PositionOf(rows.Int(row, 3));
    standing.labels[Index(task)] = static_cast<size_t>(label);
  }
}

void ContributorWriter::ReadShadowed() {
  SqlArray clusters;
  bool any = false;
  for (const size_t at : own_) {
    if (proposals_[at].source != ProposalSource::kShadow) continue;
    clusters.AddInt(texts_.at(checked_[at].message.digest).cluster_id);
    any = true;
  }
  if (!any) return;
  const SqlRows rows = sql_.Execute(
      "SELECT DISTINCT ON (t.cluster_id) t.cluster_id, t.id, p.id, p.status "
      "FROM rebound.contributed_texts t JOIN rebound.proposals p ON p.text_id = t.id "
      "WHERE p.contributor = $2 AND t.cluster_id = ANY ($1::bigint[]) "
      "ORDER BY t.cluster_id, p.id",
      {clusters.Take(), contributor_});
  for (size_t row = 0; row < rows.size(); ++row) {
    shadowed_[rows.Int(row, 0)] = rows.Int(row, 1);
    Standing& leader = standings_[rows.Int(row, 1)];
    if (leader.id != 0) continue;
    leader.id = rows.Int(row, 2);
    leader.status = ParseProposalStatus(rows.Text(row, 3)).value();
  }
}

// True where another text of the cluster has the shadow's word already.
bool ContributorWriter::IsShadowed(size_t at, ProposeResult* result) {
  if (proposals_[at].source != ProposalSource::kShadow) return false;
  const Text& text = texts_.at(checked_[at].message.digest);
  const int64_t leader = shadowed_.try_emplace(text.cluster_id, text.id).first->second;
  if (leader == text.id) return false;
  // Stands where the leader does, and is not written.
  Standing& standing = standings_[text.id];
  standing = standings_[leader];
  standing.is_new = standing.is_changed = false;
  result->items[at].outcome = ProposeOutcome::kDuplicate;
  result->items[at].id = standing.id;
  return true;
}

void ContributorWriter::Apply(size_t at, ProposeResult* result) {
  if (IsShadowed(at, result)) {
    result->items[at].text = checked_[at].message.text;
    return;
  }
  Standing& standing = StandingOf(at);
  Proposed& item = result->items[at];
  item.text = checked_[at].message.text;
  const LabelChoice& said = proposals_[at].labels;
  bool says_more = standing.id == 0;
  for (size_t task = 0; task < kTaskCount; ++task) {
    says_more = says_more || (said[task] && said[task] != standing.labels[task]);
  }
  if (!says_more) {
    item.outcome = ProposeOutcome::kDuplicate;
    item.id = standing.id;
    return;
  }
  item.outcome = standing.id == 0 ? ProposeOutcome::kInserted : ProposeOutcome::kRelabelled;
  if (standing.id == 0 || !IsOpen(standing.status)) {
    standing = Standing();
    standing.id = NextId();
    standing.is_new = true;
    fresh_.push_back(at);
  } else {
    standing.is_changed = true;
    changed_.push_back(at);
  }
  // Reviewers judged other labels; what a rule set aside stays aside.
  if (standing.status == ProposalStatus::kDisputed) standing.status = ProposalStatus::kPending;
  for (size_t task = 0; task < kTaskCount; ++task) {
    if (said[task]) standing.labels[task] = said[task];
  }
  standing.last = at;
  item.id = standing.id;
}

int64_t ContributorWriter::NextId() {
  if (ids_.empty()) {
    const SqlRows rows = sql_.Execute(
        "SELECT nextval('rebound.proposals_id_seq') FROM generate_series(1, $1::bigint) "
        "ORDER BY 1 DESC",
        {SqlInt(static_cast<int64_t>(own_.size()))});
    for (size_t row = 0; row < rows.size(); ++row) ids_.push_back(rows.Int(row, 0));
  }
  const int64_t id = ids_.back();
  ids_.pop_back();
  return id;
}

ProposalScores ContributorWriter::ScoresOf(const Standing& standing) const {
  return ScoreProposal(checked_[standing.last].normalised, standing.labels,
                       proposals_[standing.last].model);
}

std::vector<ContributorWriter::Standing*> ContributorWriter::Moved() {
  std::vector<Standing*> moved;
  for (const auto* list : {&fresh_, &changed_}) {
    for (const size_t at : *list) moved.push_back(&StandingOf(at));
  }
  return moved;
}

void ContributorWriter::ReadActivity() {
  const SqlRows rows = sql_.Execute(
      "SELECT count(*) FILTER (WHERE changed_at > now() - interval '1 hour'), count(*), "
      "count(*) FILTER (WHERE cost >= $2::real), "
      "(SELECT agreed FROM rebound.contributors WHERE name = $1), "
      "(SELECT disagreed FROM rebound.contributors WHERE name = $1), "
      "(SELECT count(*) FROM rebound.proposals WHERE contributor = $1 AND decided_at IS NULL) "
      "FROM rebound.proposals WHERE contributor = $1 AND changed_at > now() - interval '1 day' "
      // Who was released starts anew.
      "AND changed_at > coalesce((SELECT max(released_at) FROM rebound.quarantine_hits "
      "WHERE contributor = $1), '-infinity')",
      {contributor_, SqlReal(kPoisonCost)});
  activity_.last_hour = rows.Int(0, 0);
  activity_.last_day = rows.Int(0, 1);
  activity_.poison_last_day = rows.Int(0, 2);
  activity_.agreed = rows.Int(0, 3);
  activity_.disagreed = rows.Int(0, 4);
  open_ = rows.Int(0, 5) + static_cast<int64_t>(fresh_.size());
  for (const Standing* standing : Moved()) {
    ++activity_.last_hour;
    ++activity_.last_day;
    activity_.poison_last_day += ScoresOf(*standing).cost >= kPoisonCost ? 1 : 0;
  }
}

}  // namespace rebound
