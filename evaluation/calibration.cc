#include "evaluation/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace rebound {

double NegativeLogLikelihood(std::span<const float> logits, std::span<const size_t> truths,
                             std::span<const int32_t> label_of, double temperature) {
  if (truths.empty()) return 0.0;
  double sum = 0.0;
  for (size_t row = 0; row < truths.size(); ++row) {
    const std::span<const float> z = logits.subspan(row * label_of.size(), label_of.size());
    const double highest = *std::max_element(z.begin(), z.end());
    double total = 0.0;
    double right = 0.0;
    for (size_t i = 0; i < z.size(); ++i) {
      const double share = std::exp((z[i] - highest) / temperature);
      total += share;
      if (static_cast<size_t>(label_of[i]) == truths[row]) right += share;
    }
    sum += std::log(total) - std::log(std::max(right, std::numeric_limits<double>::min()));
  }
  return sum / static_cast<double>(truths.size());
}

double FitTemperature(std::span<const float> logits, std::span<const size_t> truths,
                      std::span<const int32_t> label_of) {
  if (logits.size() != truths.size() * label_of.size()) {
    throw Error(ErrorCode::kInvalidArgument, "calibration: logits are not [rows, outputs]");
  }
  if (truths.empty()) return 1.0;
  // Golden section over ln T: with one output a label the likelihood is convex in 1/T, so it has
  // one valley in ln T; with several it had one wherever we looked.
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(0.2);
  double high = std::log(10.0);
  const auto loss = [&](double log_temperature) {
    return NegativeLogLikelihood(logits, truths, label_of, std::exp(log_temperature));
  };
  double left = high - kGolden * (high - low);
  double right = low + kGolden * (high - low);
  double loss_left = loss(left);
  double loss_right = loss(right);
  while (high - low > 1e-4) {
    if (loss_left <= loss_right) {
      high = right;
      right = left;
      loss_right = loss_left;
      left = high - kGolden * (high - low);
      loss_left = loss(left);
    } else {
      low = left;
      left = right;
      loss_left = loss_right;
      right = low + kGolden * (high - low);
      loss_right = loss(right);
    }
  }
  return std::exp((low + high) / 2.0);
}

double ChooseFallbackThreshold(std::span<const FallbackCase> cases, double highest) {
  const auto right_at = [&](double threshold) {
    return std::count_if(cases.begin(), cases.end(), [&](const FallbackCase& c) {
      const bool code_decides = c.code_known && c.probability < threshold;
      return code_decides ? c.code_right : c.model_right;
    });
  };
  double best = 0.0;
  auto best_right = right_at(0.0);
  for (int step = 1; step <= static_cast<int>(highest * 100.0 + 0.5); ++step) {
    const double threshold = step / 100.0;
    const auto right = right_at(threshold);
    if (right > best_right) {
      best = threshold;
      best_right = right;
    }
  }
  return best;
}

}  // namespace rebound
