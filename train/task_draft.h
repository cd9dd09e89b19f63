// From the trained network of causes to the proven bundle of one task: temperature and threshold,
// goldens, the check against LibTorch, and what it is worth on the held-out rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/bundle_store.h"
#include "models/classifier.h"
#include "train/chosen_network.h"
#include "train/corpus.h"
#include "train/training_run.h"

namespace rebound {

// What the drafts of a run have in common.
struct RunParts {
  const Corpus& corpus;
  const TokenizerModel& tokenizer;
  const TrainingOptions& options;
  const Encoder& encoder;
  const Sides& sides;
  const Trained& trained;
  const Weights& weights;  // of trained.network
};

// Which bundle a candidate was compared with.
struct IncumbentName {
  int version = 0;  // 0: none
  std::string weights_sha256;
};

// A draft views the weights of `parts` and its own: it must not outlive either. Thread-compatible.
class TaskDraft {
 public:
  // Everything but scorecard.json and the model card, which Finish writes. Throws kInternal where
  // our inference computes otherwise than LibTorch.
  TaskDraft(Task task, const RunParts& parts, Progress* progress);
  TaskDraft(const TaskDraft&) = delete;
  TaskDraft& operator=(const TaskDraft&) = delete;

  TrainingOutcome& outcome() { return outcome_; }
  Progress* progress() { return &progress_; }

  // The complete draft; from outcome().candidate as it is now.
  const BundleDraft& Finish();
  // The current bundle beside the candidate on the same rows; nullopt where there is none, or none
  // that can be loaded: then `*note` says why. `*name`: what it was compared with.
  std::optional<IncumbentComparison> CompareIncumbent(const BundleStore& bundles,
                                                      IncumbentName* name, std::string* note) const;

 private:
  void Calibrate();
  void SetConfig();
  void ViewWeights();
  void SetGoldens();
  void Prove();
  void MeasureBeside();
  std::vector<float> ProbabilitiesFor(const DataSet& data) const;  // [rows, TaskLabels] LibTorch's
  double LargestDifference(const Classifier& classifier) const;

  const Task task_;
  const RunParts& parts_;
  Progress progress_;
  const std::vector<std::string> labels_;  // of the task
  const TaskOutputs outputs_;
  DataSet train_, judge_;  // rows with a label of the task: all that learn, those that judge
  std::vector<ScoredRow> scored_;  // [judge_.rows()] of the candidate
  Weights output_weights_;
  BundleDraft draft_;
  TrainingOutcome outcome_;
};

}  // namespace rebound
