#include "evaluation/scorecard.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/error.h"

namespace rebound {
namespace {

void Add(ScorecardBuilder* builder, std::vector<size_t> accepted, size_t predicted,
         std::array<float, 3> probabilities) {
  builder->Add(accepted, predicted, probabilities);
}

// Truths a a b c, predictions a b b a: worked out by hand below.
Scorecard FourRows() {
  ScorecardBuilder builder({"a", "b", "c"});
  Add(&builder, {0}, 0, {0.8F, 0.1F, 0.1F});
  Add(&builder, {0}, 1, {0.3F, 0.6F, 0.1F});
  Add(&builder, {1}, 1, {0.0F, 1.0F, 0.0F});
  Add(&builder, {2}, 0, {0.5F, 0.25F, 0.25F});
  return builder.Finish();
}

TEST(ScorecardTest, FiguresEqualThoseWorkedOutByHand) {
  const Scorecard card = FourRows();
  EXPECT_EQ(card.rows, 4);
  EXPECT_DOUBLE_EQ(card.accuracy, 0.5);
  // a: P 1/2, R 1/2, F1 1/2; b: P 1/2, R 1, F1 2/3; c: all 0.
  EXPECT_DOUBLE_EQ(card.classes[0].f1, 0.5);
  EXPECT_DOUBLE_EQ(card.classes[1].precision, 0.5);
  EXPECT_DOUBLE_EQ(card.classes[1].recall, 1.0);
  EXPECT_DOUBLE_EQ(card.classes[1].f1, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(card.classes[2].f1, 0.0);
  EXPECT_DOUBLE_EQ(card.macro_f1, (0.5 + 2.0 / 3.0) / 3.0);
  EXPECT_DOUBLE_EQ(card.macro_recall, 0.5);
  EXPECT_EQ(card.confusion[2][0], 1);
  EXPECT_EQ(card.classes[0].support, 2);
  EXPECT_EQ(card.classes[0].predicted, 2);
}

TEST(ScorecardTest, BrierLogLossAndCalibrationErrorEqualThoseWorkedOutByHand) {
  const Scorecard card = FourRows();
  // Squared distances: 0.06, 0.49+0.36+0.01, 0, 0.25+0.0625+0.5625.
  EXPECT_NEAR(card.brier, (0.06 + 0.86 + 0.0 + 0.875) / 4.0, 1e-7);
  const double log_loss = -(std::log(0.8) + std::log(0.3) + std::log(1.0) + std::log(0.25)) / 4.0;
  EXPECT_NEAR(card.log_loss, log_loss, 1e-6);
  // Each row is alone in its bin: |1 - 0.8|, |0 - 0.6|, |1 - 1|, |0 - 0.5|.
  EXPECT_NEAR(card.ece, (0.2 + 0.6 + 0.0 + 0.5) / 4.0, 1e-6);
  EXPECT_EQ(card.bins.size(), kReliabilityBins);
  EXPECT_EQ(card.bins.back().rows, 1);
}

TEST(ScorecardTest, APredictionIsRightWhenItIsAnyAcceptedClass) {
  ScorecardBuilder builder({"a", "b", "c"});
  Add(&builder, {0, 1}, 1, {0.2F, 0.7F, 0.1F});
  Add(&builder, {0, 1}, 2, {0.2F, 0.1F, 0.7F});
  const Scorecard card = builder.Finish();
  EXPECT_DOUBLE_EQ(card.accuracy, 0.5);
  EXPECT_EQ(card.confusion[1][1], 1) << "the predicted class counts as the truth";
  EXPECT_EQ(card.confusion[0][2], 1) << "a mistake is the first accepted class's";
}

TEST(ScorecardTest, MacroRecallLooksAtRowsWithOneAcceptedClassAlone) {
  ScorecardBuilder builder({"a", "b", "c"});
  Add(&builder, {0}, 0, {1.0F, 0.0F, 0.0F});
  Add(&builder, {1, 2}, 0, {1.0F, 0.0F, 0.0F});
  EXPECT_DOUBLE_EQ(builder.Finish().macro_recall, 1.0);
}

TEST(ScorecardTest, ClassesWithoutRowsDoNotCountInMacroFigures) {
  ScorecardBuilder builder({"a", "b", "c"});
  Add(&builder, {0}, 0, {1.0F, 0.0F, 0.0F});
  const Scorecard card = builder.Finish();
  EXPECT_DOUBLE_EQ(card.macro_f1, 1.0);
  EXPECT_DOUBLE_EQ(card.macro_recall, 1.0);
}

TEST(ScorecardTest, NoRowsGiveZerosAndNoDivisionByZero) {
  const Scorecard card = ScorecardBuilder({"a", "b"}).Finish();
  EXPECT_EQ(card.rows, 0);
  EXPECT_EQ(card.accuracy, 0.0);
  EXPECT_EQ(card.macro_f1, 0.0);
  EXPECT_EQ(card.ece, 0.0);
  EXPECT_EQ(card.log_loss, 0.0);
}

TEST(ScorecardTest, RefusesRowsThatDoNotFitTheLabels) {
  ScorecardBuilder builder({"a", "b", "c"});
  const auto message = [&](std::vector<size_t> accepted, size_t predicted, size_t width) {
    try {
      builder.Add(accepted, predicted, std::vector<float>(width, 0.0F));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message({}, 0, 3), "scorecard: a row accepts no class");
  EXPECT_EQ(message({3}, 0, 3), "scorecard: class 3 of 3");
  EXPECT_EQ(message({0}, 7, 3), "scorecard: class 7 of 3");
  EXPECT_EQ(message({0}, 0, 2), "scorecard: 2 probabilities for 3 classes");
}

TEST(ScorecardTest, JsonReadsBackAsTheSameScorecard) {
  const std::string json = WriteScorecard(FourRows());
  EXPECT_EQ(WriteScorecard(ParseScorecard(json)), json);
  EXPECT_DOUBLE_EQ(ParseScorecard(json).brier, FourRows().brier);
}

TEST(ScorecardTest, ALearningCurveAndBaselinesOfTheRunSurvive) {
  Scorecard card = FourRows();
  EXPECT_EQ(WriteScorecard(card).find("learning_curve"), std::string::npos);
  card.learning_curve = {{100, 900, 0.5, 0.25, 0.125}};
  card.baselines = {{"fastText", 0.75, 0.5, 0.25}};
  const std::string json = WriteScorecard(card);
  const Scorecard read = ParseScorecard(json);
  EXPECT_EQ(WriteScorecard(read), json);
  EXPECT_EQ(read.learning_curve.at(0).texts, 900);
  EXPECT_DOUBLE_EQ(read.learning_curve.at(0).macro_recall, 0.125);
  EXPECT_EQ(read.baselines.at(0).name, "fastText");
}

TEST(ScorecardTest, JsonThatIsNoScorecardIsCorrupt) {
  for (const char* json : {"", "[]", "{\"rows\":1}", "{\"rows\":\"x\"}"}) {
    try {
      ParseScorecard(json);
      FAIL() << json;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kCorrupt) << json;
    }
  }
}

TEST(ScorecardTest, AConfusionMatrixThatIsNotSquareIsRefused) {
  std::string json = WriteScorecard(FourRows());
  const size_t at = json.find("\"confusion\":[[1,1,0],");
  ASSERT_NE(at, std::string::npos);
  json.replace(at, 21, "\"confusion\":[[1,1],");
  EXPECT_THROW(ParseScorecard(json), Error);
}

TEST(ScorecardTest, WorstConfusionsComeMostFrequentFirst) {
  ScorecardBuilder builder({"a", "b", "c"});
  for (int i = 0; i < 3; ++i) Add(&builder, {0}, 2, {0.0F, 0.0F, 1.0F});
  Add(&builder, {1}, 0, {1.0F, 0.0F, 0.0F});
  Add(&builder, {1}, 1, {0.0F, 1.0F, 0.0F});
  const std::vector<Confusion> worst = WorstConfusions(builder.Finish(), 10);
  ASSERT_EQ(worst.size(), 2u);
  EXPECT_EQ(worst[0].truth, 0u);
  EXPECT_EQ(worst[0].predicted, 2u);
  EXPECT_EQ(worst[0].rows, 3);
  EXPECT_EQ(WorstConfusions(builder.Finish(), 1).size(), 1u);
}

}  // namespace
}  // namespace rebound
