// Whether a candidate takes over from the model that serves: a pure policy. Thread-safe.
//
// A candidate is refused for each of these, and every reason is told with its figures:
//   - macro-F1 or accuracy is lower, and the whole confidence interval of the difference below
//   zero;
//   - a class with many rows lost more F1 than a bound, or one with few lost more than the bound
//   and
//     the whole interval lies below zero;
//   - its probabilities are worse calibrated by more than a margin, and not good in themselves;
//   - it fails a text of the must-pass list; this holds for a first model too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/interval.h"
#include "evaluation/scorecard.h"

namespace rebound {

enum class PromotionMode { kAuto, kAlways, kNever };
// "auto", "always", "never"; nullopt for another.
std::optional<PromotionMode> ParsePromotionMode(std::string_view name);

// All in shares, 0..1. A loss of exactly a bound passes.
struct PromotionPolicy {
  PromotionMode mode = PromotionMode::kAuto;
  // A loss in macro-F1 or accuracy up to this is forgiven even where it is certain.
  double margin = 0.0;
  double class_bound = 0.05;  // how much F1 a class may lose
  int64_t class_rows = 200;   // from here on a class's loss needs no interval
  double ece_margin = 0.01;   // how much higher the calibration error may be ...
  double ece_allowed = 0.03;  // ... or how high in any case
};

// The candidate beside the model that serves, on the same rows.
struct IncumbentComparison {
  Scorecard scorecard;           // of the incumbent
  ScoreDifferences differences;  // candidate minus incumbent
};

struct PromotionCase {
  Scorecard candidate;
  std::optional<IncumbentComparison> incumbent;  // nullopt: nothing serves yet
  std::vector<std::string> failed_must_pass;     // what the candidate got wrong, each a sentence
};

struct Verdict {
  bool promote = false;
  std::vector<std::string> reasons;  // with the figures, for people; one or more
  std::string Reason() const;        // all of them, one behind the other
};

// Throws kInvalidArgument where the two were judged on different numbers of rows or classes.
Verdict Decide(const PromotionCase& c, const PromotionPolicy& policy);

}  // namespace rebound
