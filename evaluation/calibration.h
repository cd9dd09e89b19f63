// Turns logits into probabilities that can be believed, on rows that trained nothing. Pure,
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rebound {

// The temperature in [0.2, 10] whose softmax(logits / temperature) has the least mean negative log
// likelihood; 1 where there are no rows. `logits`: [rows, outputs] float32, `truths`: [rows]
// labels, `label_of`: [outputs] the label of each output; a label's probability is the sum over its
// outputs.
double FitTemperature(std::span<const float> logits, std::span<const size_t> truths,
                      std::span<const int32_t> label_of);

// Mean -ln p(truth) of softmax(logits / temperature); 0 where there are no rows.
double NegativeLogLikelihood(std::span<const float> logits, std::span<const size_t> truths,
                             std::span<const int32_t> label_of, double temperature);

// What model and status code say of one row.
struct FallbackCase {
  double probability = 0.0;  // of the model's class
  bool model_right = false;
  bool code_known = false;  // the status codes fix a class
  bool code_right = false;
};

// The probability below which the status code should decide: the smallest of 0, 0.01 .. `highest`
// with which most cases are right; 0 (never ask the code) where asking gains nothing.
double ChooseFallbackThreshold(std::span<const FallbackCase> cases, double highest = 0.6);

}  // namespace rebound
