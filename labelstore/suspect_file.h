// Out-of-fold probabilities of a model over rows of the store, and the labels they cast doubt on.
#pragma once

#include <istream>
#include <vector>

#include "labelstore/reviews.h"

namespace rebound {

// JSON Lines as rebound-train --out-of-fold writes them: {"id": 17, "bnac": {"given": "SPF",
// "probabilities": {"SPF": 0.1, "DKIM": 0.8}}}, with any of the keys bnac, backoff, label; a label
// without a probability has none, a task without a given label (null) takes no part. The most
// doubtful first. Throws kInvalidArgument naming the line.
std::vector<Suspicion> ReadSuspects(std::istream& input);

}  // namespace rebound
