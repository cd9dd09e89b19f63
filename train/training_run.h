// One training run, from a snapshot to a bundle and a verdict a task.
//
// Steps: corpus -> tokenizer -> data sets -> the network of causes (train/causes.h), one for all
// tasks -> calibration, which chooses the kind of network and each task's temperature and threshold
// -> the chosen network once more on the calibration rows too, for they are an eighth of all
// templates. Then for each task: a staged bundle, loaded and held against LibTorch -> scorecards of
// candidate and incumbent on the same rows, baselines, and the learning curve where it is asked for
// -> Publish -> load back -> upload -> must-pass list -> Decide -> Promote or not -> the run's
// record. A failure or Ctrl-C before the first Publish leaves nothing in the models folder; the
// records say "failed" and why.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/promotion.h"
#include "evaluation/report.h"
#include "labelstore/label_store.h"
#include "labelstore/must_pass.h"
#include "train/corpus.h"
#include "train/fit.h"
#include "train/progress.h"
#include "train/tokenizer_source.h"

namespace rebound {

struct TrainingOptions {
  std::vector<Task> tasks = {Task::kBnac};  // those that get a bundle; the rows of all teach it
  std::filesystem::path models;             // root of the bundle tree
  std::filesystem::path fleet;  // root of what serves where CURRENT there is not that; empty: none
  std::vector<std::string> networks;  // kinds to train; the calibration rows choose
  std::map<std::string, int64_t> sizes = {{"embedding", 96}, {"filters", 64}, {"hidden", 96}};
  int members = 2;  // networks whose mean is the model; they become one of members times the sizes
  int jobs = 1;     // members trained at the same time; changes no bit of them
  FitOptions fit;
  uint64_t seed = 1;
  Device device = Device::kCpu;
  int threads = 1;
  PromotionPolicy promotion;
  std::map<std::string, std::string> environment;  // recorded in config.json
  std::vector<MustPass> must_pass;                 // what every candidate has to get right
  // Takes the folder of a published bundle to where a fleet finds it; empty: nowhere.
  std::function<void(const std::filesystem::path&)> upload;
  NetworkFactory make_network;
  // Groups of the smallest part of the learning curve; 0: no curve, and no fastText.
  int64_t learning_least = 0;
  std::filesystem::path fasttext;  // the program; empty: none was found
  bool publish = true;             // false: measure only, and leave the models folder as it is
  std::function<bool()> stop;
};

struct TrainingOutcome {
  Task task = Task::kBnac;
  int version = 0;  // 0: not published
  bool promoted = false;
  std::string reason;  // all of the verdict's
  std::string network;
  Scorecard candidate;
  TaskReport report;  // of the candidate, on the held-out rows
  std::optional<Scorecard> incumbent;
  Verdict verdict;
  double samples_per_second = 0.0;
  double largest_difference = 0.0;  // between LibTorch's probabilities and ours
};

// At most this many rows of a group judge and calibrate, so that copies do not outvote templates.
inline constexpr size_t kJudgedCopies = 8;
// How far our inference may be from LibTorch's.
inline constexpr double kParityTolerance = 1e-5;
inline constexpr size_t kGoldens = 40;

// The outcomes of options.tasks, in their order. Throws Error; by then the runs that have not ended
// are recorded as failed with the error's words.
std::vector<TrainingOutcome> Train(LabelStore* store, const Corpus& corpus,
                                   const TokenizerModel& tokenizer, const TrainingOptions& options,
                                   Progress* progress);

}  // namespace rebound
