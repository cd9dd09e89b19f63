// What a model says of texts that it did not learn from, for every text that may train: the input
// of a search for wrong labels (confident learning).
//
// The groups that may train are dealt into folds by a hash of nothing but their name, and for each
// fold a model learns from all the others. Rows that judge take no part: their labels must not be
// mended by models.
#pragma once

#include <functional>
#include <ostream>
#include <string_view>

#include "train/training_run.h"

namespace rebound {

// The fold of a group. Pure: the same in every run. REQUIRES: folds >= 2.
int FoldOf(std::string_view group, int folds);

// One JSON object a line, in order of the snapshot:
//   {"id", "fold", "bnac": {"given": label or null, "probabilities": {label: p, ...}}, "backoff":
//   ..., "label": ...}
// Probabilities are of the networks of options.networks' first kind, calibrated by one temperature
// a task over all folds. Throws kInvalidArgument where a fold would have nothing to learn from.
void WriteOutOfFold(const Corpus& corpus, const TokenizerModel& tokenizer,
                    const TrainingOptions& options, int folds, Progress* progress,
                    std::ostream& out);

}  // namespace rebound
