// A model on the held-out rows of a run: figures, intervals and mistakes, as rebound-eval reports
// them of a file. Pure, Thread-safe.
#pragma once

#include "evaluation/report.h"
#include "models/classifier.h"
#include "train/corpus.h"
#include "train/data_set.h"

namespace rebound {

// The model alone, without status codes. `judge`: rows of `corpus` labelled for `task`.
// `scored`: where not null, what a paired comparison needs of each row.
TaskReport JudgeHeldOut(const Classifier& classifier, const Corpus& corpus, Task task,
                        const DataSet& judge, std::vector<ScoredRow>* scored = nullptr);

}  // namespace rebound
