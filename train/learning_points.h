// The learning curve of a run: the network that it chose, trained anew on nested parts of the
// groups that it learned from, each part half of the next. The rows that judge are the same for
// all, and so is the tokenizer, which reads no label.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/scorecard.h"
#include "train/chosen_network.h"

namespace rebound {

// A part to learn from.
struct LearningPart {
  int64_t groups = 0;
  DataSet rows;
  int epochs = 0;
  size_t rows_shown = 0;  // to one network, over all epochs
};

// A part with a quarter of the groups is shown twice as often: with the epochs of the whole, a
// small part would be worth little for want of steps, not of texts. At most 16 times `epochs`.
// REQUIRES: 0 < part <= all.
int LearningEpochs(int epochs, int64_t part, int64_t all);

// Parts of `all` down to options.learning_least groups, ascending, without the whole: that is the
// model of the run itself. {} for no curve or too few groups. Depends on the seed and the data.
std::vector<LearningPart> MakeLearningParts(const DataSet& all, const TrainingOptions& options);

// What a curve is measured for: a task, what the run's own model is worth there, and where its
// points are told.
struct LearningTask {
  Task task;
  Scorecard* whole;  // the last point; its learning_curve is filled in
  Progress* progress;
};

// Trains on every part and judges it for each task. Tells how long it will take by the rate of
// `trained`, and every point. REQUIRES: rows in sides.judge.
void MeasureLearning(const std::vector<LearningPart>& parts, const Sides& sides,
                     const Corpus& corpus, const Encoder& encoder, const TrainingOptions& options,
                     const Trained& trained, const std::vector<LearningTask>& tasks,
                     Progress* progress);

}  // namespace rebound
