// How far a figure may be from the truth, for 95 % confidence. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <span>

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

}  // namespace rebound
