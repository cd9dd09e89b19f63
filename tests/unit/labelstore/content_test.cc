#include "labelstore/content.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

TEST(IsHeldOut, TakesAboutFifteenOfAHundredGroups) {
  int held_out = 0;
  for (int i = 0; i < 10000; ++i) held_out += IsHeldOut("group-" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(held_out, 1400);
  EXPECT_LT(held_out, 1600);
}

TEST(IsHeldOut, NeverChangesItsMind) {
  // These sides stand in databases and in incumbents: another answer would let a model judge
  // itself.
  EXPECT_TRUE(IsHeldOut(""));
  std::string held_out;
  for (int i = 0; i < 30; ++i) held_out += IsHeldOut(std::to_string(i)) ? '1' : '0';
  EXPECT_EQ(held_out, "010000100000000000000000001000");
}

TEST(SkeletonGroup, IsTheSameForTheSameWordsInAnyOrder) {
  EXPECT_EQ(SkeletonGroup("550 5_1_1 mailbox __email__ is full"),
            SkeletonGroup("452 full is mailbox mailbox __host__"));
}

TEST(SkeletonGroup, OfBareCodesIsOfTheCodes) {
  EXPECT_NE(SkeletonGroup("550 5_1_1"), SkeletonGroup("550 5_2_2"));
}

TEST(Outcome, ComparesTheVotesOfOneContributor) {
  Submission submission;
  submission.labels = {1, std::nullopt, std::nullopt};
  submission.origin = LabelOrigin::kContribution;
  Votes before;
  EXPECT_EQ(OutcomeOf(submission, true, before), Outcome::kInserted);
  EXPECT_EQ(OutcomeOf(submission, false, before), Outcome::kVoted);
  before[0] = Vote{1, LabelOrigin::kContribution};
  EXPECT_EQ(OutcomeOf(submission, false, before), Outcome::kDuplicate);
  before[0] = Vote{1, LabelOrigin::kSeed};
  EXPECT_EQ(OutcomeOf(submission, false, before), Outcome::kRelabelled);
  before[0] = Vote{2, LabelOrigin::kContribution};
  EXPECT_EQ(OutcomeOf(submission, false, before), Outcome::kRelabelled);
}

TEST(SnapshotDigest, DependsOnEveryFieldButTheMessageId) {
  SnapshotRow row;
  row.group = "g";
  row.labels = {1, -1, 3};
  const auto digest = [](const SnapshotRow& of, const char* message = "m", int64_t version = 1) {
    SnapshotDigest made;
    made.Add(message, version, of);
    return made.FinishHex();
  };
  const std::string base = digest(row);
  SnapshotRow other = row;
  other.message_id = 5;
  other.text = "another masking";
  EXPECT_EQ(digest(other), base);
  other = row;
  other.group = "h";
  EXPECT_NE(digest(other), base);
  other = row;
  other.held_out = true;
  EXPECT_NE(digest(other), base);
  other = row;
  other.origin = LabelOrigin::kReview;
  EXPECT_NE(digest(other), base);
  other = row;
  other.labels[2] = 4;
  EXPECT_NE(digest(other), base);
  EXPECT_NE(digest(row, "n"), base);
  EXPECT_NE(digest(row, "m", 2), base);
}

}  // namespace
}  // namespace rebound
