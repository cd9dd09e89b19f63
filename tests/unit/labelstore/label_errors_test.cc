#include "labelstore/label_errors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace rebound {
namespace {

TEST(FindLabelErrors, DoubtsALabelWhereTheModelIsAsSureOfAnotherAsOfItsOwn) {
  // Thresholds: class 0 0.7, class 1 0.6.
  const std::vector<size_t> given = {0, 0, 1, 1};
  const std::vector<std::vector<double>> p = {{0.9, 0.1}, {0.5, 0.5}, {0.3, 0.7}, {0.5, 0.5}};
  EXPECT_TRUE(FindLabelErrors(given, p).empty());
  const auto errors = FindLabelErrors(
      {0, 0, 1, 1, 1}, {{0.9, 0.1}, {0.7, 0.3}, {0.1, 0.9}, {0.2, 0.8}, {0.85, 0.15}});
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].row, 4u);
  EXPECT_EQ(errors[0].given, 1u);
  EXPECT_EQ(errors[0].likely, 0u);
  EXPECT_DOUBLE_EQ(errors[0].score, 0.7);
}

TEST(FindLabelErrors, AClassWithoutExamplesIsNeverLikely) {
  EXPECT_TRUE(FindLabelErrors({0, 0}, {{0.1, 0.9}, {0.1, 0.9}}).empty());
}

TEST(FindLabelErrors, FindsWhatWasSwappedInALargeSet) {
  Random random(5);
  std::vector<size_t> given;
  std::vector<std::vector<double>> probabilities;
  size_t swapped = 0;
  std::vector<bool> is_wrong;
  for (int i = 0; i < 2000; ++i) {
    const size_t truth = random.Below(4);
    const bool wrong = random.Chance(100);
    given.push_back(wrong ? (truth + 1) % 4 : truth);
    is_wrong.push_back(wrong);
    swapped += wrong;
    std::vector<double> p(4, 0.05);
    p[truth] = 0.65 + static_cast<double>(random.Below(200)) / 1000;
    probabilities.push_back(p);
  }
  const auto errors = FindLabelErrors(given, probabilities);
  size_t right = 0;
  for (const LabelError& error : errors) right += is_wrong[error.row];
  EXPECT_GT(static_cast<double>(right), 0.75 * static_cast<double>(swapped));
  EXPECT_EQ(right, errors.size());
}

TEST(FindLabelErrors, RefusesWhatDoesNotFit) {
  EXPECT_THROW(FindLabelErrors({0}, {}), Error);
  EXPECT_THROW(FindLabelErrors({2}, {{0.5, 0.5}}), Error);
  EXPECT_THROW(FindLabelErrors({0, 0}, {{0.5, 0.5}, {1}}), Error);
  EXPECT_TRUE(FindLabelErrors({}, {}).empty());
}

}  // namespace
}  // namespace rebound
