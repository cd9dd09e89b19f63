// Which groups a learning curve learns from: nested parts of them all, halved again and again.
// Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace rebound {

// Group counts to train with, ascending: `groups` halved until fewer than `least` would be left,
// and `groups` itself. {} for no groups.
std::vector<int64_t> LearningSizes(int64_t groups, int64_t least = 100);

// Groups 0 .. groups - 1 in the order in which they are learned from: the first n of it are the
// part of size n, so a smaller part lies in every larger one. Depends on `seed` and the count
// alone.
std::vector<int32_t> LearningOrder(int32_t groups, uint64_t seed);

}  // namespace rebound
