// Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021): a label
// is doubted where the model is as sure of another one as it usually is of that one's own examples.
// The probabilities must be out of fold: of a model that did not train on the row. Pure,
// Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

namespace rebound {

struct LabelError {
  size_t row = 0;
  size_t given = 0;
  size_t likely = 0;
  double score = 0;  // probability of `likely` - probability of `given`
  bool operator==(const LabelError&) const = default;
};

// `probabilities`: [row, class]. The most doubtful first. Throws kInvalidArgument where the two do
// not fit together.
std::vector<LabelError> FindLabelErrors(const std::vector<size_t>& given,
                                        const std::vector<std::vector<double>>& probabilities);

}  // namespace rebound
