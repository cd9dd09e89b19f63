#include "labelstore/review_rules.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

LabelChoice Labels(size_t action) { return {std::nullopt, std::nullopt, action}; }

ReviewVoice Accepts(size_t action = 1) { return {ReviewDecision::kAccept, Labels(action), false}; }
ReviewVoice Relabels(size_t action) { return {ReviewDecision::kRelabel, Labels(action), false}; }
const ReviewVoice kRejects = {ReviewDecision::kReject, {}, false};
const ReviewVoice kSkips = {ReviewDecision::kSkip, {}, false};

TEST(Settle, IsATruthTable) {
  using enum ProposalStatus;
  struct Case {
    std::vector<ReviewVoice> voices;
    size_t overlap;
    Settlement settled;
  };
  const Case cases[] = {
      {{}, 1, {kPending, {}}},
      {{Accepts()}, 1, {kApproved, Labels(1)}},
      {{Relabels(4)}, 1, {kApproved, Labels(4)}},
      {{kRejects}, 1, {kRejected, {}}},
      {{kSkips}, 1, {kSkipped, {}}},
      {{Accepts()}, 2, {kPending, {}}},
      {{Accepts(), Accepts()}, 2, {kApproved, Labels(1)}},
      // An accept and a relabel to the same are one verdict.
      {{Accepts(4), Relabels(4)}, 2, {kApproved, Labels(4)}},
      {{Accepts(), Relabels(4)}, 2, {kDisputed, {}}},
      {{Accepts(), kRejects}, 2, {kDisputed, {}}},
      {{Accepts(), kRejects, kRejects}, 2, {kRejected, {}}},
      {{Accepts(), kSkips}, 2, {kPending, {}}},
      {{kSkips, kSkips}, 2, {kSkipped, {}}},
      {{kSkips, kSkips, Accepts()}, 2, {kPending, {}}},
      {{kSkips, Accepts()}, 1, {kApproved, Labels(1)}},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(Settle(cases[i].voices, cases[i].overlap), cases[i].settled) << i;
  }
}

TEST(Settle, AnAdjudicationDecidesAloneAndTheLastOneCounts) {
  ReviewVoice one = Relabels(2), other = Relabels(3);
  one.adjudication = other.adjudication = true;
  const Settlement settled = {ProposalStatus::kApproved, Labels(3)};
  EXPECT_EQ(Settle({Accepts(), one, other, kRejects, kRejects}, 2), settled);
}

TEST(AgreementOf, CountsLabelsByTask) {
  const LabelChoice proposed = {1, 2, std::nullopt};
  const auto of = [&](ProposalStatus status, LabelChoice labels) {
    const Agreement a = AgreementOf(proposed, {status, labels});
    return std::pair(a.agreed, a.disagreed);
  };
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(of(ProposalStatus::kApproved, {1, 2, std::nullopt}), Pair(2, 0));
  EXPECT_EQ(of(ProposalStatus::kApproved, {1, 5, 6}), Pair(1, 1));
  EXPECT_EQ(of(ProposalStatus::kRejected, {}), Pair(0, 2));
  EXPECT_EQ(of(ProposalStatus::kSkipped, {}), Pair(0, 0));
  EXPECT_EQ(of(ProposalStatus::kPending, {}), Pair(0, 0));
}

// Both said yes 20 times, both no 15, one or the other alone 5 and 10: kappa 0.4 (the worked
// example of Cohen's kappa in Wikipedia and of many textbooks).
TEST(CohensKappa, GivesThePublishedExample) {
  std::vector<std::pair<size_t, size_t>> ratings;
  ratings.insert(ratings.end(), 20, {1, 1});
  ratings.insert(ratings.end(), 5, {1, 0});
  ratings.insert(ratings.end(), 10, {0, 1});
  ratings.insert(ratings.end(), 15, {0, 0});
  EXPECT_NEAR(CohensKappa(ratings).value(), 0.4, 1e-12);
}

TEST(CohensKappa, KnowsPerfectNoneAndUndefined) {
  EXPECT_EQ(CohensKappa({{0, 0}, {1, 1}}), 1);
  EXPECT_EQ(CohensKappa({{0, 1}, {1, 0}}), -1);
  EXPECT_EQ(CohensKappa({}), std::nullopt);
  EXPECT_EQ(CohensKappa({{3, 3}, {3, 3}}), std::nullopt);
}

// Ten subjects, fourteen raters, five categories: kappa 0.210 (the worked example of Fleiss' kappa
// in Wikipedia, after Fleiss 1971).
TEST(FleissKappa, GivesThePublishedExample) {
  EXPECT_NEAR(FleissKappa({{0, 0, 0, 0, 14},
                           {0, 2, 6, 4, 2},
                           {0, 0, 3, 5, 6},
                           {0, 3, 9, 2, 0},
                           {2, 2, 8, 1, 1},
                           {7, 7, 0, 0, 0},
                           {3, 2, 6, 3, 0},
                           {2, 5, 3, 2, 2},
                           {6, 5, 2, 1, 0},
                           {0, 2, 2, 3, 7}})
                  .value(),
              0.210, 0.0005);
}

TEST(FleissKappa, LeavesOutSubjectsThatOneRaterSawAlone) {
  EXPECT_EQ(FleissKappa({{2, 0}, {0, 2}}), 1);
  EXPECT_EQ(FleissKappa({{2, 0}, {0, 2}, {1, 0}}), 1);
  EXPECT_EQ(FleissKappa({{1, 0}}), std::nullopt);
  EXPECT_EQ(FleissKappa({{2, 0}}), std::nullopt);
}

}  // namespace
}  // namespace rebound
