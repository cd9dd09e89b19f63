// Review: how proposals become labels.
//
// A proposal is decided when as many reviewers as `overlap` says agree (review_rules.h); where they
// do not it is disputed until someone adjudicates. What an approved proposal's reviewers agree on
// stands in the store as their votes (contributor "review:NAME", origin review), which outrank all
// others in the next snapshot; taking a decision back takes the votes back. One call is one
// decision, whatever number of proposals it is about, and Undo takes it back whole. Every change is
// audited. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelstore/proposals.h"
#include "labelstore/review_rules.h"

namespace rebound {

struct ReviewRequest {
  std::vector<int64_t> proposals;
  std::string reviewer;
  ReviewDecision decision = ReviewDecision::kSkip;
  LabelChoice labels;      // of a relabel: those that differ from what was proposed
  std::string notes = {};  // masked as texts are
  // Every open proposal with the same labels in the clusters of `proposals` as well.
  bool whole_cluster = false;
  // Decides alone, also what is decided already.
  bool adjudicate = false;
};
inline constexpr size_t kMaxNotesBytes = 1000;

struct ReviewResult {
  int64_t batch = 0;    // the decision; 0: there was nothing to undo, or nothing to decide any more
  int64_t changed = 0;  // proposals that it was about
  std::vector<ProposalView> proposals;  // those, and the ones that stood decided so before
};

// The near copies of a proposal, itself included.
struct ClusterView {
  int64_t id = 0;
  int64_t volume = 0;  // how often one of the texts was proposed
  int64_t total = 0;   // proposals
  int64_t served = 0;  // of them, by one decision about the whole cluster
  // That decision's first, each newest first.
  std::vector<std::pair<ProposalView, bool>> proposals;  // and whether it would serve it
};

// One line of a proposal's history, oldest first.
struct HistoryEntry {
  std::string at;      // ISO 8601, UTC
  std::string actor;   // key, reviewer or command
  std::string entity;  // "proposals", "proposal_labels", "reviews", "review_labels", "votes"
  std::string action;  // "insert", "update", "delete"
  std::string before;  // a JSON object, with the names of labels; empty: there was nothing
  std::string after;
};

// How far reviewers agree over what more than one of them decided.
struct TaskAgreement {
  Task task = Task::kBnac;
  int64_t proposals = 0;  // that at least two reviewers decided
  int64_t reviewers = 0;
  std::optional<double> cohen;  // where exactly two reviewers decided
  std::optional<double> fleiss;
};

struct ContributorRecord {
  std::string name;
  double weight = 0;
  int64_t agreed = 0;
  int64_t disagreed = 0;
  std::map<std::string, int64_t> proposals;  // by status
  std::string held_reason;                   // empty: not held
};

struct QuarantineHit {
  int64_t id = 0;
  std::string contributor, rule, detail;
  int64_t proposals = 0;
  std::string hit_at;
  std::string released_at, released_by;  // empty: still held
};

// A label of the store that a finder doubts (label_errors.h).
struct Suspicion {
  int64_t message_id = 0;
  Task task = Task::kBnac;
  size_t given = 0;
  size_t likely = 0;
  double probability = 0;  // of `likely`
  double score = 0;
};

class ReviewDesk {
 public:
  virtual ~ReviewDesk() = default;

  // What this reviewer said already, and what still stands, is not said again: the same call twice
  // changes nothing the second time. Throws kNotFound for an unknown proposal; kConflict for one in
  // quarantine (it can be rejected) or decided otherwise (it can be adjudicated); kInvalidArgument
  // for no reviewer, no proposal, a relabel without labels, labels with another decision. Nothing
  // changes then.
  virtual ReviewResult Decide(const ReviewRequest& request) = 0;
  // Takes back the last decision of this reviewer. Throws kConflict where a contributor has
  // proposed another label since.
  virtual ReviewResult Undo(const std::string& reviewer) = 0;

  // Everything that happened to the text of a proposal. Throws kNotFound.
  virtual std::vector<HistoryEntry> History(int64_t proposal) = 0;
  virtual std::vector<TaskAgreement> Agreement() = 0;
  // What a decision about the whole cluster of a proposal would serve, and what else is in it; at
  // most so many are told. Throws kNotFound.
  virtual ClusterView Cluster(int64_t proposal, int64_t most) = 0;

  virtual std::vector<ContributorRecord> Contributors() = 0;
  virtual std::vector<QuarantineHit> QuarantineHits() = 0;  // newest first
  // Lets a held contributor go on: the quarantined proposals wait for review again, and the rules
  // count anew. Returns how many. Throws kNotFound for someone who is not held.
  virtual int64_t Release(const std::string& contributor, const std::string& by) = 0;

  // Puts doubted labels into the queue, as proposals of source "suspect" (order kSuspect). Those
  // that stand there already keep their place. Returns how many are new. Throws kNotFound for an
  // unknown message.
  virtual int64_t Suspect(const std::vector<Suspicion>& suspicions) = 0;

  // How many reviewers must agree. Applies to decisions from then on.
  virtual size_t Overlap() = 0;
  virtual void SetOverlap(size_t reviewers, const std::string& by) = 0;
};

// Throws as OpenLabelStore does.
std::unique_ptr<ReviewDesk> OpenReviewDesk(const std::string& uri, PostgresOptions options = {});

}  // namespace rebound
