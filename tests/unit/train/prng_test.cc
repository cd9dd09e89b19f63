#include "train/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace rebound {
namespace {

TEST(PrngTest, TheStreamOfASeedNeverChanges) {
  // Computed once from the published xoshiro256** and splitmix64: another value here means that
  // yesterday's weights cannot be made again.
  Prng prng(42);
  EXPECT_EQ(prng.Next(), 1546998764402558742U);
  EXPECT_EQ(prng.Next(), 6990951692964543102U);
}

TEST(PrngTest, ShuffleKeepsEveryItemAndFollowsTheSeed) {
  std::vector<int> first(100);
  std::iota(first.begin(), first.end(), 0);
  std::vector<int> second = first;
  std::vector<int> other = first;
  Prng(7).Shuffle(&first);
  Prng(7).Shuffle(&second);
  Prng(8).Shuffle(&other);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
  std::sort(other.begin(), other.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(other[static_cast<size_t>(i)], i);
}

TEST(PrngTest, NumbersStayInTheirRangeAndFillIt) {
  Prng prng(1);
  std::vector<int> seen(10, 0);
  for (int i = 0; i < 10000; ++i) {
    const float u = prng.Uniform();
    ASSERT_GE(u, 0.0F);
    ASSERT_LT(u, 1.0F);
    const size_t below = prng.Below(10);
    ASSERT_LT(below, 10u);
    ++seen[below];
  }
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace rebound
