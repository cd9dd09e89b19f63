#include "base/near_copies.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

namespace rebound {
namespace {

using Words = std::vector<std::string>;
using Pair = std::tuple<size_t, size_t, double>;

constexpr uint64_t kFirstBand = 14581800558296280812u;

template <class Each>
std::vector<Pair> PairsOf(const std::vector<Each>& words, double least) {
  std::vector<Pair> pairs;
  FindAlike(words, least, [&](size_t i, size_t j, double s) { pairs.emplace_back(i, j, s); });
  return pairs;
}

TEST(FindAlikeTest, TellsEveryPairOnceTheLaterTextFirst) {
  const std::vector<Words> words = {{"a", "b", "c"}, {"x"}, {"a", "b", "c", "d"}, {"a", "b"}};
  EXPECT_EQ(PairsOf(words, 0.6), (std::vector<Pair>{{2, 0, 0.75}, {3, 0, 2.0 / 3.0}}));
  EXPECT_EQ(PairsOf(words, 0.5).size(), 3u) << "a b and a b c d share half";
}

TEST(FindAlikeTest, TakesAnyContainerOfWords) {
  const std::vector<std::set<std::string>> words = {{"a", "b", "c"}, {"a", "b", "c"}};
  EXPECT_EQ(PairsOf(words, 1.0), (std::vector<Pair>{{1, 0, 1.0}}));
}

TEST(FindAlikeTest, TextsWithoutWordsAreLikeNothing) {
  EXPECT_TRUE(PairsOf(std::vector<Words>{{}, {}, {"a"}}, 0.6).empty());
  EXPECT_TRUE(PairsOf(std::vector<Words>{}, 0.6).empty());
}

TEST(FindAlikeTest, ExactlyTheLeastShareIsAlike) {
  // Three of five: 0.6 has no exact double.
  EXPECT_EQ(PairsOf(std::vector<Words>{{"a", "b", "c", "d"}, {"a", "b", "c", "e"}}, kSameGroup),
            (std::vector<Pair>{{1, 0, 0.6}}));
}

TEST(LikenessTest, IsTheShareOfAllWords) {
  EXPECT_EQ(Likeness({"a", "b", "c"}, {"b", "c", "d"}), 0.5);
  EXPECT_EQ(Likeness({"a"}, {"b"}), 0);
  EXPECT_EQ(Likeness({"a", "b"}, {"a", "b"}), 1);
  EXPECT_EQ(Likeness({}, {"a"}), 0);
  EXPECT_EQ(Likeness({}, {}), 1);
}

TEST(LikenessBandsTest, AreTheSameForEverAndForTheSameWordsAlone) {
  const auto bands = LikenessBands({"550", "no", "such", "user"});
  ASSERT_EQ(bands.size(), kLikenessBands);
  EXPECT_EQ(bands, LikenessBands({"user", "such", "no", "550"}));
  EXPECT_EQ(bands[0], kFirstBand) << "databases hold these: a change needs a migration";
  EXPECT_TRUE(LikenessBands({}).empty());
  const auto other = LikenessBands({"552", "mailbox", "is", "full"});
  for (size_t i = 0; i < kLikenessBands; ++i) EXPECT_NE(bands[i], other[i]);
}

TEST(DisjointGroupsTest, AGroupIsNamedByItsFirstPositionHoweverItGrew) {
  DisjointGroups groups(6);
  groups.Join(4, 5);
  groups.Join(1, 3);
  groups.Join(5, 3);
  EXPECT_EQ(groups.FirstOf(0), 0u);
  EXPECT_EQ(groups.FirstOf(4), 1u);
  EXPECT_EQ(groups.FirstOf(5), 1u);
  groups.Join(0, 4);
  groups.Join(0, 4);
  EXPECT_EQ(groups.FirstOf(3), 0u);
  EXPECT_EQ(groups.FirstOf(2), 2u);
}

TEST(GroupAlikeTest, LikenessIsPassedOn) {
  // The first and the last are not alike, but both are like the third.
  const std::vector<Words> words = {
      {"a", "b", "c", "d"}, {"x", "y"}, {"a", "b", "c", "d", "e"}, {"b", "c", "d", "e", "f"}};
  EXPECT_EQ(GroupAlike(words), (std::vector<size_t>{0, 1, 0, 0}));
}

}  // namespace
}  // namespace rebound
