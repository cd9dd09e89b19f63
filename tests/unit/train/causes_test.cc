#include "train/causes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rebound {
namespace {

using Triples = std::vector<LabelTriple>;
using Positions = std::vector<int32_t>;

TEST(CausesTest, AreTheDistinctTriplesThatRowsLearnFrom) {
  const Causes causes(Triples{{2, 3, 4}, {1, 1, 1}, {2, 3, 4}}, Triples{{9, 9, 9}});
  ASSERT_EQ(causes.size(), 2u);
  EXPECT_EQ(causes[0], (LabelTriple{1, 1, 1}));
  EXPECT_EQ(causes[1], (LabelTriple{2, 3, 4}));
  EXPECT_EQ(causes.Pattern({2, 3, 4}), 1) << "a cause's own number";
  EXPECT_EQ((*causes.patterns())[1], Positions{1});
  EXPECT_TRUE((*causes.patterns())[static_cast<size_t>(causes.Pattern({9, 9, 9}))].empty())
      << "nothing was learned of it";
}

TEST(CausesTest, ARowThatLacksLabelsAgreesWithEveryCauseThatHasItsOthers) {
  const Causes causes(Triples{{1, 1, 1}, {1, 2, 1}, {3, 2, 1}, {1, -1, -1}, {-1, 2, 1}}, {});
  EXPECT_EQ(causes.size(), 3u);
  const auto agreeing = [&](const LabelTriple& triple) {
    return (*causes.patterns())[static_cast<size_t>(causes.Pattern(triple))];
  };
  EXPECT_EQ(agreeing({1, -1, -1}), (Positions{0, 1}));
  EXPECT_EQ(agreeing({-1, 2, 1}), (Positions{1, 2}));
}

TEST(CausesTest, ATripleThatAgreesWithNoneIsACauseOfItsOwn) {
  const Causes causes(Triples{{1, 1, 1}, {2, -1, -1}, {2, -1, 5}}, {});
  ASSERT_EQ(causes.size(), 2u);
  EXPECT_EQ(causes[1], (LabelTriple{2, -1, 5})) << "the one with fewer gaps";
  EXPECT_EQ((*causes.patterns())[static_cast<size_t>(causes.Pattern({2, -1, -1}))], Positions{1});
}

TEST(CausesTest, AreNamedByTheirLabels) {
  const Causes causes(Triples{{static_cast<int16_t>(*FindLabel(Task::kBnac, "SPF")), -1,
                               static_cast<int16_t>(*FindLabel(Task::kAction, "auth_failure"))}},
                      {});
  EXPECT_EQ(causes.Name(0), "SPF/-/auth_failure");
}

TEST(TaskOutputsTest, AreTheCausesThatSaySomethingForTheTask) {
  const Causes causes(Triples{{1, 4, 1}, {2, 4, 1}, {3, -1, 2}}, {});
  const TaskOutputs backoff(causes, Task::kBackoff);
  EXPECT_EQ(backoff.causes, (Positions{0, 1}));
  EXPECT_EQ(backoff.labels, (Positions{4, 4}));
  EXPECT_EQ(TaskOutputs(causes, Task::kBnac).labels, (Positions{1, 2, 3}));
}

TEST(TaskProbabilitiesTest, AddUpByLabelOverTheTasksOutputsAlone) {
  const Causes causes(Triples{{1, 0, 1}, {2, 0, 1}, {3, 1, 2}, {4, -1, 2}}, {});
  const std::vector<float> logits = {0.0F, 0.0F, 0.0F, 50.0F,    // the last says nothing of backoff
                                     2.0F, 2.0F, 0.0F, -50.0F};  // rows of four causes
  const std::vector<float> p =
      TaskProbabilities(logits, 4, TaskOutputs(causes, Task::kBackoff), 2, 2.0);
  ASSERT_EQ(p.size(), 4u);
  EXPECT_NEAR(p[0], 2.0 / 3.0, 1e-6);
  EXPECT_NEAR(p[1], 1.0 / 3.0, 1e-6);
  EXPECT_NEAR(p[2], 2.0 * std::exp(1.0) / (2.0 * std::exp(1.0) + 1.0), 1e-6);
}

}  // namespace
}  // namespace rebound
