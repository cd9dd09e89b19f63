#include "evaluation/interval.h"

#include <gtest/gtest.h>

#include <array>

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

}  // namespace
}  // namespace rebound
