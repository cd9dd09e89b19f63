// What reviews add up to, and how far reviewers agree. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "labelstore/proposals.h"

namespace rebound {

enum class ReviewDecision : uint8_t { kAccept, kRelabel, kReject, kSkip };
std::string_view DecisionName(ReviewDecision decision);  // "accept", "relabel", "reject", "skip"
std::optional<ReviewDecision> ParseDecision(std::string_view name);

// What one reviewer says about a proposal.
struct ReviewVoice {
  ReviewDecision decision = ReviewDecision::kSkip;
  LabelChoice labels;         // that an accept or relabel stands for
  bool adjudication = false;  // decides alone; the last one counts
};

struct Settlement {
  ProposalStatus status = ProposalStatus::kPending;
  LabelChoice labels;  // of an approved one
  bool operator==(const Settlement&) const = default;
};

// `voices` in order of time, one a reviewer. Decided where `overlap` reviewers say the same (the
// same labels, or reject); disputed where as many spoke and no `overlap` of them agree; skipped
// where all of `overlap` skipped. A skip is no voice beside others. REQUIRES: overlap > 0.
Settlement Settle(const std::vector<ReviewVoice>& voices, size_t overlap);

// Labels of a contributor that a decision confirmed and refused.
struct Agreement {
  int64_t agreed = 0;
  int64_t disagreed = 0;
};
Agreement AgreementOf(const LabelChoice& proposed, const Settlement& settled);

// Cohen's kappa of two raters, each pair what both said of one subject. nullopt where it is not
// defined: no pairs, or both always say the same one thing.
std::optional<double> CohensKappa(const std::vector<std::pair<size_t, size_t>>& ratings);

// Fleiss' kappa of any number of raters; counts[subject][category]. Subjects may have different
// numbers of raters, at least two (others are left out). nullopt where it is not defined.
std::optional<double> FleissKappa(const std::vector<std::vector<int64_t>>& counts);

}  // namespace rebound
