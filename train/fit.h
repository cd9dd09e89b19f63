// The training loop: epochs, learning rate, early stopping on the calibration rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "evaluation/scorecard.h"
#include "train/data_set.h"
#include "train/network.h"

namespace rebound {

struct FitOptions {
  int epochs = 8;
  // Epochs without a better calibration score before it stops and goes back to the best one. 0:
  // the whole schedule, as the same network is trained on all rows afterwards, so that the
  // temperature is that of a network trained as long.
  int patience = 0;
  float learning_rate = 5e-3F;
  float label_smoothing = 0.1F;
  float dropout = 0.2F;
  SamplingOptions sampling;
  uint64_t seed = 1;
};

struct EpochReport {
  std::string network;
  int epoch = 0;  // from 1
  int epochs = 0;
  size_t rows_done = 0;  // of this epoch
  size_t rows = 0;
  double loss = 0.0;  // mean over the epoch
  double samples_per_second = 0.0;
  double seconds_left = 0.0;  // if no epoch stops it early
  bool finished = false;      // the epoch ended
  bool judged = false;        // on calibration rows: the next two are known
  double accuracy = 0.0;      // on the calibration rows
  double macro_f1 = 0.0;
};
using EpochObserver = std::function<void(const EpochReport&)>;

struct FitResult {
  int best_epoch = 0;
  Scorecard calibration;  // at the best epoch, before temperature
  double samples_per_second = 0.0;
  size_t samples = 0;  // rows shown, over all epochs
};

// One number to compare networks and epochs by: the mean of macro-F1 and accuracy.
double FitScore(const Scorecard& scorecard);

// Trains `network` and leaves it with the weights of its best epoch; without patience or
// calibration rows, with the last ones. Throws kCancelled where `stop` says so, kInternal where the
// loss is not finite.
FitResult Fit(Network* network, const std::string& kind, const DataSet& train,
              const DataSet& calibrate, const std::vector<std::string>& labels,
              const FitOptions& options, const EpochObserver& observer,
              const std::function<bool()>& stop);

// [rows, labels] float32 of every row of `data`.
std::vector<float> LogitsOf(Network* network, const DataSet& data, size_t labels);
// softmax(logits / temperature) for each row of `labels` values.
std::vector<float> ProbabilitiesOf(std::vector<float> logits, size_t labels, double temperature);
// `probabilities`: [rows, labels] for the rows of `data`. Where these have patterns, every cause of
// a row's pattern is right, and a row whose pattern has none does not count.
Scorecard JudgeProbabilities(const DataSet& data, const std::vector<float>& probabilities,
                             const std::vector<std::string>& labels);

}  // namespace rebound
