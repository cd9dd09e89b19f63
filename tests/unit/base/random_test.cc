#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace rebound {
namespace {

TEST(Random, GivesTheSameNumbersEverywhere) {
  // From the authors' reference code: splitmix64 seeded with 1, then xoshiro256**.
  Random random(1);
  EXPECT_EQ(random.Next(), 12966619160104079557u);
  EXPECT_EQ(random.Next(), 9600361134598540522u);
  EXPECT_EQ(random.Next(), 10590380919521690900u);
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  Random random(7);
  std::set<size_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Below(10));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(*seen.rbegin(), 9u);
}

}  // namespace
}  // namespace rebound
