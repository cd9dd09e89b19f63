#include "train/learning_points.h"

#include <gtest/gtest.h>

#include <set>

namespace rebound {
namespace {

// `copies` rows of each group; numbers of groups have gaps, as those of a corpus.
DataSet MakeGroups(int32_t groups, size_t copies) {
  DataSet data;
  for (int32_t group = 0; group < groups; ++group) {
    for (size_t copy = 0; copy < copies; ++copy) {
      data.tokens.push_back(group);
      data.offsets.push_back(data.tokens.size());
      data.labels.push_back(group % 2);
      data.groups.push_back(group * 3);
      data.corpus_rows.push_back(data.corpus_rows.size());
    }
  }
  return data;
}

TrainingOptions Options(int64_t least) {
  TrainingOptions options;
  options.learning_least = least;
  options.fit.epochs = 5;
  options.fit.sampling.copies_per_epoch = 2;
  return options;
}

std::set<int32_t> GroupsOf(const LearningPart& part) {
  return {part.rows.groups.begin(), part.rows.groups.end()};
}

TEST(LearningPartsTest, AreHalvesOfHalvesWithoutTheWhole) {
  const auto parts = MakeLearningParts(MakeGroups(81, 3), Options(10));
  ASSERT_EQ(parts.size(), 3u);
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t size = std::vector<int64_t>{10, 20, 40}[i];
    EXPECT_EQ(parts[i].groups, size);
    EXPECT_EQ(GroupsOf(parts[i]).size(), static_cast<size_t>(size));
    EXPECT_EQ(parts[i].rows.rows(), static_cast<size_t>(3 * size)) << "whole groups";
  }
}

TEST(LearningPartsTest, ASmallerPartLiesInEveryLargerOne) {
  const auto parts = MakeLearningParts(MakeGroups(100, 1), Options(10));
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::set<int32_t> larger = GroupsOf(parts[i]);
    for (const int32_t group : GroupsOf(parts[i - 1])) EXPECT_TRUE(larger.contains(group));
  }
}

TEST(LearningPartsTest, DependOnTheSeedAlone) {
  const DataSet data = MakeGroups(100, 1);
  TrainingOptions options = Options(10);
  const auto groups = [&] { return GroupsOf(MakeLearningParts(data, options).front()); };
  const auto first = groups();
  EXPECT_EQ(groups(), first);
  options.seed = 2;
  EXPECT_NE(groups(), first);
}

TEST(LearningPartsTest, SayHowManyRowsTheyWillShow) {
  // 25 groups, two of three copies an epoch, twice as many epochs as the whole.
  const auto parts = MakeLearningParts(MakeGroups(100, 3), Options(20));
  EXPECT_EQ(parts.at(0).epochs, 10);
  EXPECT_EQ(parts.at(0).rows_shown, 25u * 2 * 10);
}

TEST(LearningPartsTest, ThereAreNoneWhereNoCurveIsWantedOrGroupsAreTooFew) {
  EXPECT_TRUE(MakeLearningParts(MakeGroups(100, 1), Options(0)).empty());
  EXPECT_TRUE(MakeLearningParts(MakeGroups(100, 1), Options(51)).empty());
  EXPECT_TRUE(MakeLearningParts(DataSet(), Options(10)).empty());
}

TEST(LearningEpochsTest, GrowWithTheRootOfTheShareAndNotForEver) {
  EXPECT_EQ(LearningEpochs(5, 100, 100), 5);
  EXPECT_EQ(LearningEpochs(5, 50, 100), 8);
  EXPECT_EQ(LearningEpochs(5, 25, 100), 10);
  EXPECT_EQ(LearningEpochs(5, 1, 1000000), 80);
}

}  // namespace
}  // namespace rebound
