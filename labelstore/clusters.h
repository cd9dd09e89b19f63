// Near copies of contributed texts, so that one decision serves a thousand of them.
//
// A cluster is led by its first text; the others share at least kSameCluster of their shingles with
// it, so that all are like the one that a reviewer sees (a chain of likeness would drift).
// Candidates come from an index of MinHash bands, and the exact likeness decides. Two writers at
// once may make two clusters of the same texts: that costs a second decision, nothing else.
// Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"

namespace rebound {

// Measured over the seed corpus (docs/label-store.md): at 0.7 clusters hold one label in 98 % of
// their pairs, and bands find 99 % of what comparing all pairs finds.
inline constexpr double kSameCluster = 0.7;

// The distinct words of a normalised text and its pairs of neighbours, sorted.
std::vector<std::string> ShinglesOf(std::string_view normalised);

// The cluster of each text (masked), found or made. REQUIRES: an open transaction.
std::vector<int64_t> AssignClusters(SqlTransaction& sql, const std::vector<std::string>& texts);

}  // namespace rebound
