// A small corpus for training tests: four classes that a model can learn within a second.
#pragma once

#include "labelstore/label_store.h"

namespace rebound::test {

// Twenty-four phrasings a class, each a group of four copies; `all_tasks`: labels for every task,
// else for bnac alone.
void FillSmallStore(LabelStore* store, bool all_tasks);

}  // namespace rebound::test
