#include <algorithm>
#include <map>

#include "base/error.h"
#include "labelstore/contributed_text.h"
#include "labelstore/proposal_rows.h"
#include "labelstore/proposal_writer.h"
#include "labelstore/review_reports.h"
#include "labelstore/review_writer.h"
#include "labelstore/reviews.h"
#include "labelstore/schema.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// Whose proposals doubted labels become.
constexpr const char* kFinder = "label-errors";

void CheckRequest(const ReviewRequest& request) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); };
  if (request.reviewer.empty()) refuse("a review names its reviewer");
  if (request.proposals.empty()) refuse("name the proposals to decide");
  if (request.notes.size() > kMaxNotesBytes) {
    refuse("notes of more than " + std::to_string(kMaxNotesBytes) + " bytes");
  }
  bool any = false;
  for (const Task task : kTasks) {
    const auto& label = request.labels[Index(task)];
    any = any || label;
    if (label && *label >= TaskLabels(task).size()) {
      refuse("no such label of task " + std::string(TaskName(task)));
    }
  }
  if (any != (request.decision == ReviewDecision::kRelabel)) {
    refuse(any ? "labels belong to a relabel" : "a relabel names the right labels");
  }
}

void CheckMayDecide(const ReviewRequest& request, const ProposalView& proposal) {
  const std::string name = "proposal " + std::to_string(proposal.id);
  if (proposal.status == ProposalStatus::kQuarantined &&
      request.decision != ReviewDecision::kReject) {
    throw Error(ErrorCode::kConflict, name + " is quarantined (" + proposal.reason +
                                          "): reject it, or release its contributor first");
  }
  if (!IsOpen(proposal.status) && !request.adjudicate) {
    throw Error(ErrorCode::kConflict, name + " is " + std::string(StatusName(proposal.status)) +
                                          " already: undo that, or adjudicate");
  }
}

class PostgresReviewDesk : public ReviewDesk {
 public:
  PostgresReviewDesk(const std::string& uri, PostgresOptions options)
      : connection_(uri, std::move(options)) {
    RequireSchema(&connection_);
    connection_.Transact(SqlIsolation::kReadCommitted,
                         [&](SqlTransaction& sql) { catalog_ = LoadCatalog(sql); });
  }

 private:
  template <class Body>
  auto Read(const Body& body) {
    decltype(body(std::declval<SqlTransaction&>())) out{};
    connection_.Transact(SqlIsolation::kRepeatableRead,
                         [&](SqlTransaction& sql) { out = body(sql); });
    return out;
  }

 public:
  ReviewResult Decide(const ReviewRequest& request) override {
    CheckRequest(request);
    ReviewResult result;
    // Twice would be another decision: a commit in doubt is left to the reviewer.
    connection_.TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      SetActor(sql, request.reviewer);
      std::vector<int64_t> ids = request.proposals;
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      if (request.whole_cluster) {
        LockProposals(sql, ids);  // those that do not exist
        ids = WithCluster(sql, ids);
      }
      LockProposals(sql, ids);
      const std::vector<ProposalView> proposals =
          Unsaid(sql, catalog_, request, ReadProposals(sql, catalog_, ids));
      for (const ProposalView& proposal : proposals) CheckMayDecide(request, proposal);
      if (!proposals.empty()) {
        result.batch = sql.Execute("SELECT nextval('rebound.review_batches')").Int(0, 0);
        WriteReviews(sql, catalog_, request, proposals, result.batch);
        std::vector<int64_t> changed;
        for (const ProposalView& proposal : proposals) changed.push_back(proposal.id);
        ApplyReviews(sql, catalog_, changed, ReadOverlap(sql));
      }
      result.changed = static_cast<int64_t>(proposals.size());
      result.proposals = ReadProposals(sql, catalog_, ids);
    });
    return result;
  }

  ReviewResult Undo(const std::string& reviewer) override {
    ReviewResult result;
    connection_.TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      SetActor(sql, reviewer);
      const SqlRows last = sql.Execute(
          "SELECT max(batch_id) FROM rebound.reviews WHERE reviewer = $1 AND undone_at IS NULL",
          {reviewer});
      if (last.IsNull(0, 0)) return;
      result.batch = last.Int(0, 0);
      const std::vector<SqlValue> batch = {SqlInt(result.batch)};
      const std::vector<int64_t> ids =
          IntsOf(sql.Execute("SELECT proposal_id FROM rebound.reviews WHERE batch_id = $1::bigint "
                             "AND undone_at IS NULL ORDER BY 1",
                             batch));
      LockProposals(sql, ids);
      RefuseWhereAnotherIsOpen(sql, result.batch);
      sql.Execute(
          "UPDATE rebound.reviews SET undone_at = now() WHERE batch_id = $1::bigint "
          "AND undone_at IS NULL",
          batch);
      sql.Execute(
          "UPDATE rebound.reviews SET undone_at = NULL, superseded_by = NULL "
          "WHERE superseded_by IN (SELECT id FROM rebound.reviews WHERE batch_id = $1::bigint)",
          batch);
      ApplyReviews(sql, catalog_, ids, ReadOverlap(sql));
      result.changed = static_cast<int64_t>(ids.size());
      result.proposals = ReadProposals(sql, catalog_, ids);
    });
    return result;
  }

  std::vector<HistoryEntry> History(int64_t proposal) override {
    return Read([&](SqlTransaction& sql) { return ReadHistory(sql, proposal); });
  }
  std::vector<TaskAgreement> Agreement() override {
    return Read([&](SqlTransaction& sql) { return ReadAgreement(sql, catalog_); });
  }
  ClusterView Cluster(int64_t proposal, int64_t most) override {
    return Read([&](SqlTransaction& sql) { return ReadCluster(sql, catalog_, proposal, most); });
  }
  std::vector<ContributorRecord> Contributors() override {
    return Read([&](SqlTransaction& sql) { return ReadContributors(sql); });
  }
  std::vector<QuarantineHit> QuarantineHits() override {
    return Read([&](SqlTransaction& sql) { return ReadQuarantineHits(sql); });
  }
  size_t Overlap() override {
    return Read([&](SqlTransaction& sql) { return ReadOverlap(sql); });
  }

  int64_t Release(const std::string& contributor, const std::string& by) override {
    int64_t released = 0;
    connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      SetActor(sql, by);
      // A record that led to the hold would lead to the next one.
      const SqlRows held = sql.Execute(
          "UPDATE rebound.contributors SET held_reason = NULL, held_at = NULL, "
          "agreed = CASE WHEN held_reason = 'mistrust' THEN 0 ELSE agreed END, "
          "disagreed = CASE WHEN held_reason = 'mistrust' THEN 0 ELSE disagreed END "
          "WHERE name = $1 AND held_at IS NOT NULL",
          {contributor});
      if (held.affected() == 0) {
        throw Error(ErrorCode::kNotFound, "the contributor '" + contributor + "' is not held");
      }
      sql.Execute(
          "UPDATE rebound.quarantine_hits SET released_at = now(), released_by = $2 "
          "WHERE contributor = $1 AND released_at IS NULL",
          {contributor, by});
      released = sql.Execute(
                        "UPDATE rebound.proposals SET status = 'pending', reason = '' "
                        "WHERE contributor = $1 AND status = 'quarantined'",
                        {contributor})
                     .affected();
    });
    return released;
  }

  int64_t Suspect(const std::vector<Suspicion>& suspicions) override {
    int64_t added = 0;
    connection_.Transact(SqlIsolation::kReadCommitted,
                         [&](SqlTransaction& sql) { added = WriteSuspicions(sql, suspicions); });
    return added;
  }

  void SetOverlap(size_t reviewers, const std::string& by) override {
    if (reviewers < 1 || reviewers > 20) {
      throw Error(ErrorCode::kInvalidArgument, "1 to 20 reviewers can be asked to agree");
    }
    connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      SetActor(sql, by);
      sql.Execute("UPDATE rebound.review_settings SET overlap = $1::smallint",
                  {SqlInt(static_cast<int64_t>(reviewers))});
    });
  }

 private:
  static size_t ReadOverlap(SqlTransaction& sql) {
    return static_cast<size_t>(
        sql.Execute("SELECT overlap FROM rebound.review_settings").Int(0, 0));
  }

  static std::vector<int64_t> IntsOf(const SqlRows& rows) {
    std::vector<int64_t> ints;
    for (size_t row = 0; row < rows.size(); ++row) ints.push_back(rows.Int(row, 0));
    return ints;
  }

  static void RefuseWhereAnotherIsOpen(SqlTransaction& sql, int64_t batch) {
    const SqlRows newer = sql.Execute(
        "SELECT p.id, n.id FROM rebound.reviews r JOIN rebound.proposals p ON p.id = r.proposal_id "
        "JOIN rebound.proposals n ON n.text_id = p.text_id AND n.contributor = p.contributor "
        "AND n.id <> p.id AND n.decided_at IS NULL "
        "WHERE r.batch_id = $1::bigint AND r.undone_at IS NULL LIMIT 1",
        {SqlInt(batch)});
    if (newer.size() == 0) return;
    throw Error(ErrorCode::kConflict, "the contributor of proposal " +
                                          std::string(newer.Text(0, 0)) +
                                          " has proposed another label since: decide proposal " +
                                          std::string(newer.Text(0, 1)) + " instead");
  }

  int64_t WriteSuspicions(SqlTransaction& sql, const std::vector<Suspicion>& suspicions);

  PostgresConnection connection_;
  LabelCatalog catalog_;
};

int64_t PostgresReviewDesk::WriteSuspicions(SqlTransaction& sql,
                                            const std::vector<Suspicion>& suspicions) {
  std::map<int64_t, std::vector<const Suspicion*>> by_message;
  SqlArray wanted;
  for (const Suspicion& each : suspicions) {
    if (by_message[each.message_id].empty()) wanted.AddInt(each.message_id);
    by_message[each.message_id].push_back(&each);
  }
  // Of another normaliser a message has another digest now: it is seeded or imported anew.
  const SqlRows rows = sql.Execute(
      "SELECT id, text, encode(digest, 'hex'), split_group FROM rebound.messages "
      "WHERE id = ANY ($1::bigint[]) AND normaliser_version = $2::int",
      {wanted.Take(), SqlInt(kNormaliserVersion)});
  std::vector<Proposal> proposals;
  std::vector<CheckedProposal> checked;
  std::vector<int64_t> messages;
  for (size_t row = 0; row < rows.size(); ++row) {
    Proposal proposal;
    proposal.contributor = kFinder;
    proposal.source = ProposalSource::kSuspect;
    messages.push_back(rows.Int(row, 0));
    for (const Suspicion* each : by_message.at(messages.back())) {
      proposal.labels[Index(each->task)] = each->likely;
      proposal.model[Index(each->task)] =
          ModelAnswer{each->likely, static_cast<float>(each->probability), 0};
      proposal.suspicion = std::max(proposal.suspicion, each->score);
    }
    proposals.push_back(std::move(proposal));
    // Exactly the stored message: masked anew it could become another one.
    CheckedProposal ready;
    ready.message = {std::string(rows.Text(row, 1)), std::string(rows.Text(row, 2)),
                     std::string(rows.Text(row, 3))};
    ready.normalised = Normalise(ready.message.text);
    checked.push_back(std::move(ready));
  }
  for (const auto& [id, list] : by_message) {
    if (std::find(messages.begin(), messages.end(), id) != messages.end()) continue;
    throw Error(ErrorCode::kNotFound,
                "no message " + std::to_string(id) + " of the present normaliser");
  }
  const ProposeResult made = WriteProposals(sql, catalog_, proposals, checked,
                                            {.acknowledged = true}, ProposalStoreOptions());
  int64_t added = 0;
  SqlArray ids, tasks, given, likely, scores, targets;
  for (size_t i = 0; i < messages.size(); ++i) {
    added += made.items[i].outcome == ProposeOutcome::kDuplicate ? 0 : 1;
    for (const Suspicion* each : by_message.at(messages[i])) {
      ids.AddInt(messages[i]);
      tasks.AddInt(catalog_.task_ids[Index(each->task)]);
      given.AddInt(catalog_.label_ids[Index(each->task)].at(each->given));
      likely.AddInt(catalog_.label_ids[Index(each->task)].at(each->likely));
      scores.Add(SqlReal(each->score));
      targets.AddInt(made.items[i].id);
    }
  }
  sql.Execute(
      "INSERT INTO rebound.suspicions AS old (message_id, label_set_id, given_label_id, "
      "likely_label_id, score, proposal_id) SELECT * FROM unnest($1::bigint[], $2::smallint[], "
      "$3::smallint[], $4::smallint[], $5::real[], $6::bigint[]) "
      "ON CONFLICT (message_id, label_set_id) DO UPDATE SET "
      "given_label_id = EXCLUDED.given_label_id, likely_label_id = EXCLUDED.likely_label_id, "
      "score = EXCLUDED.score, proposal_id = EXCLUDED.proposal_id, found_at = now()",
      {ids.Take(), tasks.Take(), given.Take(), likely.Take(), scores.Take(), targets.Take()});
  return added;
}

}  // namespace

std::unique_ptr<ReviewDesk> OpenReviewDesk(const std::string& uri, PostgresOptions options) {
  return std::make_unique<PostgresReviewDesk>(uri, std::move(options));
}

}  // namespace rebound
