#include "train/row_adam.h"

#include <cmath>

namespace rebound {

RowAdam::RowAdam(size_t rows, size_t width, AdamOptions options)
    : width_(width),
      options_(options),
      first_(rows * width, 0.0F),
      second_(rows * width, 0.0F),
      steps_(rows, 0) {}

void RowAdam::Update(std::span<const int32_t> rows, const float* gradients, float learning_rate,
                     float* table) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<size_t>(rows[i]);
    const int step = ++steps_[row];
    const double correction1 = 1.0 - std::pow(static_cast<double>(options_.beta1), step);
    const double correction2 = 1.0 - std::pow(static_cast<double>(options_.beta2), step);
    const auto rate = static_cast<float>(learning_rate / correction1);
    const auto scale = static_cast<float>(1.0 / std::sqrt(correction2));
    const float keep = 1.0F - learning_rate * options_.weight_decay;
    const float* gradient = gradients + i * width_;
    float* first = first_.data() + row * width_;
    float* second = second_.data() + row * width_;
    float* values = table + row * width_;
    for (size_t j = 0; j < width_; ++j) {
      const float g = gradient[j];
      first[j] = options_.beta1 * first[j] + (1.0F - options_.beta1) * g;
      second[j] = options_.beta2 * second[j] + (1.0F - options_.beta2) * g * g;
      const float divisor = std::sqrt(second[j]) * scale + options_.epsilon;
      values[j] = keep * values[j] - rate * first[j] / divisor;
    }
  }
}

}  // namespace rebound
