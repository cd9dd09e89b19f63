// Out-of-fold probabilities of a model over rows of the store, and the labels they cast doubt on.
#pragma once

#include <istream>
#include <vector>

#include "labelstore/reviews.h"

namespace rebound {

// JSON Lines: {"message_id": 17, "task": "bnac", "given": "SPF", "scores": {"SPF": 0.1, "DKIM":
// 0.8}}; a label that scores do not name has none. FindLabelErrors task by task, the most doubtful
// first. Throws kInvalidArgument naming the line.
std::vector<Suspicion> ReadSuspects(std::istream& input);

}  // namespace rebound
