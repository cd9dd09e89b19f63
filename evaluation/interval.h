// How far a figure may be from the truth, for 95 % confidence. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evaluation/scorecard.h"

namespace rebound {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

// Wilson's score interval of a share (Wilson 1927): right also for few rows and shares near 0 or 1.
// [0, 1] where there are no rows.
Interval WilsonInterval(int64_t right, int64_t rows);

struct ScoreIntervals {
  Interval accuracy;  // Wilson
  // Bootstrap (Efron 1979): rows drawn with replacement, classes averaged that were drawn.
  Interval macro_recall, macro_f1;  // 2.5 % and 97.5 % of the draws
  // The same, mirrored at the figure: resampling inflates the error of calibration, and the
  // mirrored ("basic") interval takes that out. Never below 0, and never without the figure itself.
  Interval ece;
};

inline constexpr int kBootstrapDraws = 1000;

// `rows`: of a ScorecardBuilder with `labels` classes. The same rows give the same
// intervals.
ScoreIntervals MeasureIntervals(std::span<const ScoredRow> rows, size_t labels,
                                int draws = kBootstrapDraws);

// How much higher a figure of one model is than another's on the same rows.
struct Difference {
  double value = 0.0;
  Interval interval;  // of `value`
  // The whole interval lies below zero: the figure is lower, and that is not chance.
  bool IsLoss() const { return interval.high < 0.0; }
};

struct ScoreDifferences {
  Difference macro_f1, accuracy, ece;
  // [labels] over the draws that have the class; 0 where it has no rows, and the interval [-1, 1]
  // where fewer than three clusters have one.
  std::vector<Difference> class_f1;
};

// Paired bootstrap of `candidate` minus `incumbent`: whole clusters are drawn with replacement, the
// same for both, 2.5 % and 97.5 % of the draws. Copies of one template are not independent, so they
// are a cluster. Both spans stand for the same rows in the same order with `clusters` beside them;
// the rows' truths may differ where several classes are right. The same rows give the same figures.
// Throws kInvalidArgument where the three differ in length.
ScoreDifferences MeasureDifferences(std::span<const ScoredRow> candidate,
                                    std::span<const ScoredRow> incumbent,
                                    std::span<const int32_t> clusters, size_t labels,
                                    int draws = kBootstrapDraws);

}  // namespace rebound
