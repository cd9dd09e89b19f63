// Several networks as one of the same kind, whose logits are the mean of theirs: embeddings and
// hidden layers side by side, nothing between them, outputs divided by their number. So a bundle
// and the inference engine know nothing of members. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "train/network.h"

namespace rebound {

// `sizes` of one member for `members` of them, all but the vocabulary times as large.
std::map<std::string, int64_t> MergedSizes(std::map<std::string, int64_t> sizes, int64_t members);

// `spec`: kind, sizes and outputs of one member. REQUIRES: members of these, at least one.
Weights MergeMembers(const NetworkSpec& spec, const std::vector<Weights>& members);

}  // namespace rebound
