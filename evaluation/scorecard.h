// What a model is worth on labelled rows, in figures.
//
// A row may accept several classes: a prediction is right when it is one of them, and then that
// class counts as the row's truth; otherwise the first accepted one does. Macro figures average
// over the classes that have rows, so two scorecards over the same rows average the same classes.
// Values; the builder is Thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

inline constexpr size_t kReliabilityBins = 15;

struct ClassScore {
  std::string label;
  int64_t support = 0;    // rows whose truth is this class
  int64_t predicted = 0;  // rows predicted as this class
  int64_t correct = 0;
  double precision = 0.0;  // 0 where nothing was predicted
  double recall = 0.0;     // 0 where nothing is there
  double f1 = 0.0;
};

// The bin of a probability.
size_t BinOf(double confidence);
// Rows whose predicted class had a probability in [i / bins, (i + 1) / bins).
struct ReliabilityBin {
  int64_t rows = 0;
  double confidence = 0.0;  // mean probability of the predicted class
  double accuracy = 0.0;
};

// What a model is worth that learned from a part of the templates, on the same rows.
struct LearningPoint {
  int64_t groups = 0;  // templates or skeletons learned from
  int64_t texts = 0;
  double accuracy = 0.0;
  double macro_f1 = 0.0;
  double macro_recall = 0.0;
};

// What something simpler is worth on the same rows: "fastText", "majority class"...
struct Baseline {
  std::string name;
  double accuracy = 0.0;
  double macro_f1 = 0.0;
  double macro_recall = 0.0;
};

struct Scorecard {
  int64_t rows = 0;
  double accuracy = 0.0;
  double macro_f1 = 0.0;
  double macro_recall = 0.0;        // over rows that accept exactly one class
  double ece = 0.0;                 // expected calibration error over kReliabilityBins equal bins
  double brier = 0.0;               // mean squared distance to the one-hot truth, 0..2
  double log_loss = 0.0;            // mean -ln p(truth), p held above 1e-12
  std::vector<ClassScore> classes;  // [labels]
  std::vector<std::vector<int64_t>> confusion;  // [labels: truth, labels: predicted]
  std::vector<ReliabilityBin> bins;             // [kReliabilityBins]
  // What a training run measured beside it; empty elsewhere, and left out of the JSON then.
  std::vector<LearningPoint> learning_curve;  // by groups, ascending
  std::vector<Baseline> baselines;
};

// What a scorecard keeps of one row.
struct ScoredRow {
  size_t truth;
  size_t predicted;
  bool single;       // the row accepts one class alone
  float confidence;  // probability of the predicted class
};

class ScorecardBuilder {
 public:
  explicit ScorecardBuilder(std::vector<std::string> labels);

  // `accepted`: positions of the classes that are right, the likeliest first;
  // `probabilities`: [labels] float32. Throws kInvalidArgument for a position beyond the labels, no
  // accepted class or another number of probabilities.
  void Add(std::span<const size_t> accepted, size_t predicted,
           std::span<const float> probabilities);
  Scorecard Finish() const;
  const std::vector<ScoredRow>& scored_rows() const { return scored_rows_; }  // [rows]

 private:
  std::vector<std::string> labels_;
  std::vector<ScoredRow> scored_rows_;
  double brier_ = 0.0;
  double log_loss_ = 0.0;
};

// One truth predicted as another class, by how often.
struct Confusion {
  size_t truth;
  size_t predicted;
  int64_t rows;
};
// The `limit` most frequent mistakes, most frequent first.
std::vector<Confusion> WorstConfusions(const Scorecard& scorecard, size_t limit);

std::string WriteScorecard(const Scorecard& scorecard);
// Throws kCorrupt where the JSON is no scorecard.
Scorecard ParseScorecard(std::string_view json);

}  // namespace rebound
