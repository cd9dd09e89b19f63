#include "evaluation/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace rebound {
namespace {

const std::vector<int32_t> kEach = {0, 1};  // one output a label

// Ten rows of two classes whose first logit leads by `lead`; `right` of them are of that class.
void MakeRows(float lead, size_t right, std::vector<float>* logits, std::vector<size_t>* truths) {
  for (size_t i = 0; i < 10; ++i) {
    logits->insert(logits->end(), {lead, 0.0F});
    truths->push_back(i < right ? 0 : 1);
  }
}

TEST(CalibrationTest, TheTemperatureMakesConfidenceEqualToAccuracy) {
  std::vector<float> logits;
  std::vector<size_t> truths;
  MakeRows(4.0F, 8, &logits, &truths);
  // sigmoid(4 / T) = 0.8, so T = 4 / ln 4.
  EXPECT_NEAR(FitTemperature(logits, truths, kEach), 4.0 / std::log(4.0), 1e-3);
}

TEST(CalibrationTest, AnUnderconfidentModelGetsATemperatureBelowOne) {
  std::vector<float> logits;
  std::vector<size_t> truths;
  MakeRows(0.5F, 9, &logits, &truths);
  EXPECT_NEAR(FitTemperature(logits, truths, kEach), 0.5 / std::log(9.0), 1e-3);
}

TEST(CalibrationTest, TheTemperatureIsNeverWorseThanNone) {
  std::vector<float> logits;
  std::vector<size_t> truths;
  MakeRows(1.5F, 7, &logits, &truths);
  const double fitted = FitTemperature(logits, truths, kEach);
  EXPECT_LE(NegativeLogLikelihood(logits, truths, kEach, fitted),
            NegativeLogLikelihood(logits, truths, kEach, 1.0));
}

TEST(CalibrationTest, PerfectRowsStopAtTheLowerBound) {
  std::vector<float> logits;
  std::vector<size_t> truths;
  MakeRows(3.0F, 10, &logits, &truths);
  EXPECT_NEAR(FitTemperature(logits, truths, kEach), 0.2, 1e-3);
}

TEST(CalibrationTest, HugeLogitsDoNotOverflow) {
  const std::vector<float> logits = {3e38F, 0.0F};
  const std::vector<size_t> truths = {0};
  EXPECT_TRUE(std::isfinite(NegativeLogLikelihood(logits, truths, kEach, 1.0)));
}

TEST(CalibrationTest, ALabelsOutputsCountTogether) {
  // Three outputs, of which the first two are label 0: p(0) = 2/3 at equal logits.
  const std::vector<float> logits = {0.0F, 0.0F, 0.0F};
  const std::vector<size_t> truths = {0};
  const std::vector<int32_t> label_of = {0, 0, 1};
  EXPECT_NEAR(NegativeLogLikelihood(logits, truths, label_of, 1.0), std::log(1.5), 1e-9);
}

TEST(CalibrationTest, NoRowsGiveTemperatureOne) {
  EXPECT_EQ(FitTemperature({}, {}, kEach), 1.0);
  EXPECT_EQ(NegativeLogLikelihood({}, {}, kEach, 1.0), 0.0);
}

TEST(CalibrationTest, RefusesLogitsOfAnotherShape) {
  const std::vector<float> logits = {1.0F, 2.0F, 3.0F};
  const std::vector<size_t> truths = {0};
  EXPECT_THROW(FitTemperature(logits, truths, kEach), Error);
}

TEST(FallbackTest, TheCodeIsAskedBelowTheProbabilityWhereItHelps) {
  const FallbackCase cases[] = {
      {0.20, false, true, true},  // the code would mend it
      {0.30, false, true, true},  // and this
      {0.55, true, true, false},  // here it would harm
      {0.90, true, true, true},
  };
  EXPECT_DOUBLE_EQ(ChooseFallbackThreshold(cases), 0.31);
}

TEST(FallbackTest, TheCodeIsNeverAskedWhereThatGainsNothing) {
  const FallbackCase harmful[] = {{0.2, true, true, false}, {0.4, false, false, false}};
  EXPECT_EQ(ChooseFallbackThreshold(harmful), 0.0);
  EXPECT_EQ(ChooseFallbackThreshold({}), 0.0);
}

TEST(FallbackTest, TheThresholdStaysBelowTheHighestAllowed) {
  const FallbackCase sure_and_wrong[] = {{0.95, false, true, true}};
  EXPECT_EQ(ChooseFallbackThreshold(sure_and_wrong), 0.0);
}

}  // namespace
}  // namespace rebound
