#include "train/row_adam.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rebound {
namespace {

// Adam as its paper states it, on one number.
struct DenseAdam {
  double m = 0, v = 0;
  int t = 0;
  double Step(double x, double g, double rate) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return x -
           rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

TEST(RowAdamTest, ARowTouchedInEveryStepMovesAsUnderDenseAdam) {
  RowAdam adam(2, 2, {});
  std::vector<float> table = {1.0F, -2.0F, 0.5F, 4.0F};
  DenseAdam dense[4];
  double expected[4] = {1.0, -2.0, 0.5, 4.0};
  const std::vector<int32_t> rows = {0, 1};
  for (int step = 0; step < 50; ++step) {
    std::vector<float> gradients;
    for (int i = 0; i < 4; ++i) {
      // The gradient of (x - i)^2, of the table as it stands.
      gradients.push_back(2.0F * (table[static_cast<size_t>(i)] - static_cast<float>(i)));
      expected[i] = dense[i].Step(expected[i], gradients.back(), 0.05);
    }
    adam.Update(rows, gradients.data(), 0.05F, table.data());
  }
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(table[i], expected[i], 1e-4);
}

TEST(RowAdamTest, RowsThatAreNotTouchedDoNotMove) {
  RowAdam adam(3, 1, {});
  std::vector<float> table = {1.0F, 2.0F, 3.0F};
  const std::vector<int32_t> rows = {1};
  const float gradient = 1.0F;
  adam.Update(rows, &gradient, 0.1F, table.data());
  EXPECT_EQ(table[0], 1.0F);
  EXPECT_NEAR(table[1], 1.9F, 1e-5);
  EXPECT_EQ(table[2], 3.0F);
}

TEST(RowAdamTest, ARareRowsFirstStepIsAsLongAsAnyRowsFirstStep) {
  RowAdam adam(2, 1, {});
  std::vector<float> table = {0.0F, 0.0F};
  const std::vector<int32_t> often = {0};
  const std::vector<int32_t> rarely = {1};
  const float gradient = 0.5F;
  for (int i = 0; i < 1000; ++i) adam.Update(often, &gradient, 0.0F, table.data());
  adam.Update(rarely, &gradient, 0.1F, table.data());
  EXPECT_NEAR(table[1], -0.1F, 1e-5);
}

TEST(RowAdamTest, WeightDecayShrinksTouchedRowsAlone) {
  AdamOptions options;
  options.weight_decay = 0.5F;
  RowAdam adam(2, 1, options);
  std::vector<float> table = {1.0F, 1.0F};
  const std::vector<int32_t> rows = {0};
  const float gradient = 0.0F;
  adam.Update(rows, &gradient, 0.1F, table.data());
  EXPECT_NEAR(table[0], 0.95F, 1e-6);
  EXPECT_EQ(table[1], 1.0F);
}

}  // namespace
}  // namespace rebound
