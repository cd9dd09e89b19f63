#include "evaluation/learning_curve.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/digest.h"

namespace rebound {

std::vector<int64_t> LearningSizes(int64_t groups, int64_t least) {
  std::vector<int64_t> sizes;
  for (int64_t size = groups; size > 0 && (size == groups || size >= least); size /= 2) {
    sizes.insert(sizes.begin(), size);
  }
  return sizes;
}

std::vector<int32_t> LearningOrder(int32_t groups, uint64_t seed) {
  std::vector<uint64_t> rank;
  const std::string prefix = "learning:" + std::to_string(seed) + ":";
  for (int32_t group = 0; group < groups; ++group) {
    rank.push_back(StableHash(prefix + std::to_string(group)));
  }
  std::vector<int32_t> order(static_cast<size_t>(groups));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return rank[static_cast<size_t>(a)] < rank[static_cast<size_t>(b)];
  });
  return order;
}

}  // namespace rebound
