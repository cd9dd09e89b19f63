#include "train/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace rebound {
namespace {

const std::vector<std::string> kLabels = {"a", "b"};

// Token 0 means class 0, token 1 class 1.
DataSet MakeRows(size_t rows) {
  DataSet data;
  for (size_t i = 0; i < rows; ++i) {
    data.tokens.push_back(static_cast<int32_t>(i % 2));
    data.offsets.push_back(data.tokens.size());
    data.labels.push_back(static_cast<int32_t>(i % 2));
    data.groups.push_back(static_cast<int32_t>(i));
    data.corpus_rows.push_back(i);
  }
  return data;
}

// Knows everything in epoch `good` (a step an epoch) and is wrong about everything else.
class ScriptedNetwork : public Network {
 public:
  explicit ScriptedNetwork(float good) : good_(good) {}
  double Step(const Batch&, const StepOptions& options) override {
    ++step_;
    rates.push_back(options.learning_rate);
    return loss;
  }
  void Forward(const Batch& batch, std::vector<float>* logits) override {
    logits->clear();
    const float sign = step_ == good_ ? 1.0F : -1.0F;
    for (const int32_t token : batch.tokens) {
      logits->push_back(token == 0 ? sign : -sign);
      logits->push_back(token == 0 ? -sign : sign);
    }
  }
  Weights Export() const override { return {{"step", {step_}}}; }
  void Import(const Weights& weights) override { step_ = weights.at("step")[0]; }

  std::vector<float> rates;
  double loss = 1.0;

 private:
  float good_;
  float step_ = 0.0F;
};

FitOptions Options(int epochs, int patience) {
  FitOptions options;
  options.epochs = epochs;
  options.patience = patience;
  options.sampling.batch_rows = 100;
  return options;
}

TEST(FitTest, TheBestEpochsWeightsAreKept) {
  ScriptedNetwork network(3);
  const FitResult result =
      Fit(&network, "toy", MakeRows(10), MakeRows(4), kLabels, Options(6, 10), nullptr, nullptr);
  EXPECT_EQ(result.best_epoch, 3);
  EXPECT_EQ(result.calibration.accuracy, 1.0);
  EXPECT_EQ(network.Export().at("step")[0], 3.0F);
  EXPECT_EQ(network.rates.size(), 6u);
}

TEST(FitTest, PatienceEndsTheRunEarly) {
  ScriptedNetwork network(2);
  Fit(&network, "toy", MakeRows(10), MakeRows(4), kLabels, Options(50, 3), nullptr, nullptr);
  EXPECT_EQ(network.rates.size(), 5u);
}

TEST(FitTest, WithoutPatienceEveryEpochIsTrainedAndTheLastStays) {
  ScriptedNetwork network(3);
  const FitResult result =
      Fit(&network, "toy", MakeRows(10), MakeRows(4), kLabels, Options(6, 0), nullptr, nullptr);
  EXPECT_EQ(result.best_epoch, 6);
  EXPECT_EQ(result.calibration.accuracy, 0.0);
  EXPECT_EQ(network.Export().at("step")[0], 6.0F);
}

TEST(FitTest, WithoutCalibrationRowsEveryEpochIsTrainedAndTheLastStays) {
  ScriptedNetwork network(2);
  const FitResult result =
      Fit(&network, "toy", MakeRows(10), DataSet(), kLabels, Options(7, 1), nullptr, nullptr);
  EXPECT_EQ(result.best_epoch, 7);
  EXPECT_EQ(network.Export().at("step")[0], 7.0F);
}

TEST(FitTest, TheLearningRateRisesAndFallsToAlmostNothing) {
  ScriptedNetwork network(1);
  Fit(&network, "toy", MakeRows(10), DataSet(), kLabels, Options(40, 1), nullptr, nullptr);
  const float highest = *std::max_element(network.rates.begin(), network.rates.end());
  EXPECT_NEAR(highest, FitOptions().learning_rate, 1e-4);
  EXPECT_LT(network.rates.front(), highest / 2);
  EXPECT_NEAR(network.rates.back(), FitOptions().learning_rate / 50, 1e-5);
}

TEST(FitTest, ALossThatIsNotFiniteEndsTheRunWithARemedy) {
  ScriptedNetwork network(1);
  network.loss = std::numeric_limits<double>::quiet_NaN();
  try {
    Fit(&network, "toy", MakeRows(4), MakeRows(4), kLabels, Options(2, 1), nullptr, nullptr);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInternal);
    EXPECT_STREQ(e.what(),
                 "toy: the loss is not finite in epoch 1; train with a lower --learning-rate");
  }
}

TEST(FitTest, StopIsAskedBetweenBatches) {
  ScriptedNetwork network(1);
  int asked = 0;
  try {
    Fit(&network, "toy", MakeRows(4), MakeRows(4), kLabels, Options(50, 50), nullptr,
        [&] { return ++asked > 3; });
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCancelled);
    EXPECT_STREQ(e.what(), "cancelled");
  }
  EXPECT_EQ(network.rates.size(), 3u);
}

TEST(FitTest, EveryEpochIsReportedWithItsFigures) {
  ScriptedNetwork network(1);
  std::vector<EpochReport> finished;
  Fit(
      &network, "toy", MakeRows(10), MakeRows(4), kLabels, Options(2, 5),
      [&](const EpochReport& report) {
        if (report.finished) finished.push_back(report);
      },
      nullptr);
  ASSERT_EQ(finished.size(), 2u);
  EXPECT_EQ(finished[0].epoch, 1);
  EXPECT_EQ(finished[0].rows_done, 10u);
  EXPECT_EQ(finished[0].loss, 1.0);
  EXPECT_EQ(finished[0].accuracy, 1.0);
  EXPECT_EQ(finished[1].accuracy, 0.0);
  EXPECT_EQ(finished[1].seconds_left, 0.0);
}

TEST(ProbabilitiesTest, SumToOneAndFollowTheTemperature) {
  const std::vector<float> cold = ProbabilitiesOf({1.0F, 0.0F, 2.0F, 2.0F}, 2, 0.5);
  EXPECT_NEAR(cold[0], 1.0 / (1.0 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(cold[0] + cold[1], 1.0, 1e-6);
  EXPECT_NEAR(cold[2], 0.5, 1e-6);
}

}  // namespace
}  // namespace rebound
