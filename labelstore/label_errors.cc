#include "labelstore/label_errors.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace rebound {

std::vector<LabelError> FindLabelErrors(const std::vector<size_t>& given,
                                        const std::vector<std::vector<double>>& probabilities) {
  if (given.size() != probabilities.size()) {
    throw Error(ErrorCode::kInvalidArgument, "as many rows of probabilities as labels are needed");
  }
  if (given.empty()) return {};
  const size_t classes = probabilities[0].size();
  std::vector<double> confidence(classes, 0), examples(classes, 0);
  for (size_t row = 0; row < given.size(); ++row) {
    if (given[row] >= classes || probabilities[row].size() != classes) {
      throw Error(ErrorCode::kInvalidArgument,
                  "row " + std::to_string(row) + " has another number of classes");
    }
    confidence[given[row]] += probabilities[row][given[row]];
    ++examples[given[row]];
  }
  std::vector<LabelError> errors;
  for (size_t row = 0; row < given.size(); ++row) {
    const std::vector<double>& p = probabilities[row];
    size_t likely = given[row];
    double best = -1;
    for (size_t c = 0; c < classes; ++c) {
      if (examples[c] == 0 || p[c] * examples[c] < confidence[c] || p[c] <= best) continue;
      best = p[c];
      likely = c;
    }
    if (likely != given[row]) {
      errors.push_back({row, given[row], likely, p[likely] - p[given[row]]});
    }
  }
  std::stable_sort(errors.begin(), errors.end(),
                   [](const LabelError& a, const LabelError& b) { return a.score > b.score; });
  return errors;
}

}  // namespace rebound
