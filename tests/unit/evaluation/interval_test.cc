#include "evaluation/interval.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/error.h"

namespace rebound {
namespace {

// 300 rows of three classes; every fifth is answered wrongly with a probability of 0.9.
ScorecardBuilder Rows() {
  ScorecardBuilder builder({"a", "b", "c"});
  for (size_t row = 0; row < 300; ++row) {
    const std::array<size_t, 1> truth = {row % 3};
    const size_t predicted = row % 5 == 0 ? (row + 1) % 3 : row % 3;
    std::array<float, 3> probabilities = {0.05F, 0.05F, 0.05F};
    probabilities[predicted] = 0.9F;
    builder.Add(truth, predicted, probabilities);
  }
  return builder;
}

TEST(WilsonInterval, AgreesWithPublishedFigures) {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  const auto expect = [](int64_t right, int64_t rows, double low, double high) {
    EXPECT_NEAR(WilsonInterval(right, rows).low, low, 5e-5);
    EXPECT_NEAR(WilsonInterval(right, rows).high, high, 5e-5);
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0.0, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
}

TEST(WilsonInterval, OfNoRowsIsEverything) {
  EXPECT_EQ(WilsonInterval(0, 0).low, 0.0);
  EXPECT_EQ(WilsonInterval(0, 0).high, 1.0);
}

TEST(MeasureIntervals, HoldTheFiguresAndAreTheSameAgain) {
  const ScorecardBuilder rows = Rows();
  const Scorecard card = rows.Finish();
  const ScoreIntervals intervals = MeasureIntervals(rows.scored_rows(), 3);
  const auto holds = [](const Interval& interval, double figure) {
    EXPECT_LT(interval.low, figure);
    EXPECT_GT(interval.high, figure);
    EXPECT_LT(interval.high - interval.low, 0.12);
  };
  holds(intervals.accuracy, card.accuracy);
  holds(intervals.macro_recall, card.macro_recall);
  holds(intervals.macro_f1, card.macro_f1);
  holds(intervals.ece, card.ece);
  EXPECT_EQ(MeasureIntervals(rows.scored_rows(), 3).macro_f1.low, intervals.macro_f1.low);
}

TEST(MeasureIntervals, CountAsTheScorecardDoes) {
  // With one row, every draw is that row.
  ScorecardBuilder builder({"a", "b"});
  builder.Add(std::array<size_t, 1>{0}, 0, std::array<float, 2>{0.75F, 0.25F});
  const ScoreIntervals intervals = MeasureIntervals(builder.scored_rows(), 2);
  EXPECT_DOUBLE_EQ(intervals.macro_recall.low, builder.Finish().macro_recall);
  EXPECT_DOUBLE_EQ(intervals.macro_f1.high, builder.Finish().macro_f1);
  EXPECT_NEAR(intervals.ece.low, builder.Finish().ece, 1e-12);
}

TEST(MeasureIntervals, OfNoRowsAreEverything) {
  EXPECT_EQ(MeasureIntervals({}, 3).macro_f1.high, 1.0);
  EXPECT_EQ(MeasureIntervals({}, 3).ece.low, 0.0);
}

// `right` of ten rows of each of three classes, in clusters of five.
struct Judged {
  std::vector<ScoredRow> rows;
  std::vector<int32_t> clusters;
};
Judged ThreeClasses(size_t right_of_ten, float confidence = 0.8F) {
  Judged judged;
  for (size_t i = 0; i < 300; ++i) {
    const size_t truth = i % 3;
    const bool right = (i / 3) % 10 < right_of_ten;
    judged.rows.push_back({truth, right ? truth : (truth + 1) % 3, true, confidence});
    judged.clusters.push_back(static_cast<int32_t>(i / 5));
  }
  return judged;
}

TEST(MeasureDifferences, OfAModelAndItselfAreZeroForSure) {
  const Judged judged = ThreeClasses(8);
  const ScoreDifferences found = MeasureDifferences(judged.rows, judged.rows, judged.clusters, 3);
  for (const Difference& each :
       {found.macro_f1, found.accuracy, found.ece, found.class_f1.at(0), found.class_f1.at(2)}) {
    EXPECT_EQ(each.value, 0.0);
    EXPECT_EQ(each.interval.low, 0.0);
    EXPECT_EQ(each.interval.high, 0.0);
    EXPECT_FALSE(each.IsLoss());
  }
}

TEST(MeasureDifferences, AreTheFiguresOfOneLessThoseOfTheOther) {
  const Judged better = ThreeClasses(9), worse = ThreeClasses(7);
  const ScoreDifferences found = MeasureDifferences(worse.rows, better.rows, worse.clusters, 3);
  EXPECT_NEAR(found.accuracy.value, -0.2, 1e-12);
  EXPECT_NEAR(found.macro_f1.value, -0.2, 1e-12);
  EXPECT_NEAR(found.ece.value, 0.0, 1e-6) << "0.1 below and 0.1 above";
  EXPECT_NEAR(found.class_f1.at(1).value, -0.2, 1e-12);
  EXPECT_TRUE(found.accuracy.IsLoss());
  EXPECT_TRUE(found.macro_f1.IsLoss());
  EXPECT_LT(found.macro_f1.interval.low, found.macro_f1.value);
  EXPECT_GT(found.macro_f1.interval.high, found.macro_f1.value);
  const ScoreDifferences other = MeasureDifferences(better.rows, worse.rows, worse.clusters, 3);
  EXPECT_FALSE(other.macro_f1.IsLoss());
}

TEST(MeasureDifferences, CopiesOfOneTemplateCountAsOne) {
  // One template in ten, with all of its 30 copies, is answered otherwise: by rows that would look
  // certain, by templates it is chance.
  std::vector<ScoredRow> candidate, incumbent;
  std::vector<int32_t> templates, rows;
  for (int32_t i = 0; i < 300; ++i) {
    const size_t truth = static_cast<size_t>(i) % 2;
    incumbent.push_back({truth, truth, true, 0.9F});
    candidate.push_back({truth, i < 30 ? 1 - truth : truth, true, 0.9F});
    templates.push_back(i / 30);
    rows.push_back(i);
  }
  EXPECT_TRUE(MeasureDifferences(candidate, incumbent, rows, 2).accuracy.IsLoss());
  EXPECT_FALSE(MeasureDifferences(candidate, incumbent, templates, 2).accuracy.IsLoss());
}

TEST(MeasureDifferences, ASmallClassThatBrokeIsSeenUnlessHardlyAnythingJudgesIt) {
  // Of twelve templates, `few` are of class 0, and the candidate gets every one of them wrong.
  const auto differ = [](int32_t few) {
    std::vector<ScoredRow> candidate, incumbent;
    std::vector<int32_t> clusters;
    for (int32_t i = 0; i < 48; ++i) {
      const size_t truth = i / 4 < few ? 0 : 1;
      incumbent.push_back({truth, truth, true, 0.9F});
      candidate.push_back({truth, 1, true, 0.9F});
      clusters.push_back(i / 4);
    }
    return MeasureDifferences(candidate, incumbent, clusters, 3);
  };
  EXPECT_EQ(differ(3).class_f1[0].value, -1.0);
  EXPECT_TRUE(differ(3).class_f1[0].IsLoss()) << "draws without the class do not excuse it";
  EXPECT_EQ(differ(2).class_f1[0].value, -1.0);
  EXPECT_FALSE(differ(2).class_f1[0].IsLoss());
  EXPECT_EQ(differ(3).class_f1[2].value, 0.0) << "a class without rows";
  EXPECT_FALSE(differ(3).class_f1[2].IsLoss());
}

TEST(MeasureDifferences, OfNoRowsAreZeroAndOfDifferentRowsRefused) {
  EXPECT_FALSE(MeasureDifferences({}, {}, {}, 3).macro_f1.IsLoss());
  const Judged judged = ThreeClasses(8);
  try {
    MeasureDifferences(judged.rows, {}, judged.clusters, 3);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "candidate and incumbent were judged on different rows: 300 and 0");
  }
}

}  // namespace
}  // namespace rebound
