// From a corpus to the one network of a run: sides, the networks that were asked for, and the
// choice that the calibration rows make.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tokenizer/encoder.h"
#include "train/data_set.h"
#include "train/fit.h"
#include "train/progress.h"
#include "train/training_run.h"

namespace rebound {

struct Sides {
  Causes causes;  // what the network tells apart
  DataSet train;
  DataSet calibrate;
  DataSet both;  // all that may train in the end: train and every calibration row
  DataSet judge;
};

// A trained network of causes.
struct Trained {
  std::string kind;
  std::map<std::string, int64_t> sizes;  // of the network, all its members together
  std::unique_ptr<Network> network;
  FitResult fit;
  // [calibration rows, causes] float32, of the network that had not learned from them; {} where
  // none was asked.
  std::vector<float> calibration_logits;
};

size_t CountGroups(const DataSet& data);

// Says what it found; throws kInvalidArgument where a task of options.tasks has nothing to learn.
Sides MakeSides(const Corpus& corpus, const Encoder& encoder, const TrainingOptions& options,
                Progress* progress);

// Trains options.members networks of every kind of options.networks, makes them one, and returns
// the one with the best calibration score.
Trained TrainBest(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                  Progress* progress);

// The chosen network from the start on all rows that may train, for the whole schedule: there is
// nothing left to stop it early by.
void TrainOnBoth(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                 Progress* progress, Trained* trained);

// Both: the network of a bundle.
Trained TrainForBundle(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                       Progress* progress);

// The same for any rows: networks of `kind` learn from `train` alone, nothing is calibrated.
// `name` and the epochs are told to `observer`.
Trained TrainOn(const DataSet& train, const Causes& causes, const std::string& kind,
                const std::string& name, const Encoder& encoder, const TrainingOptions& options,
                const EpochObserver& observer);

}  // namespace rebound
