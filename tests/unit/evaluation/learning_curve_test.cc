#include "evaluation/learning_curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace rebound {
namespace {

TEST(LearningSizes, AreHalvesUntilTooFewAreLeft) {
  EXPECT_EQ(LearningSizes(1000), (std::vector<int64_t>{125, 250, 500, 1000}));
  EXPECT_EQ(LearningSizes(60), std::vector<int64_t>{60});
  EXPECT_TRUE(LearningSizes(0).empty());
}

TEST(LearningOrder, HasEveryGroupOnceAndDependsOnTheSeedAlone) {
  std::vector<int32_t> order = LearningOrder(500, 1);
  EXPECT_EQ(order, LearningOrder(500, 1));
  EXPECT_NE(order, LearningOrder(500, 2));
  std::vector<int32_t> all(500);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_NE(order, all);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, all);
}

}  // namespace
}  // namespace rebound
