// Whether a candidate takes over from the model that serves: a pure policy. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "evaluation/scorecard.h"

namespace rebound {

enum class PromotionMode { kAuto, kAlways, kNever };
// "auto", "always", "never"; nullopt for another.
std::optional<PromotionMode> ParsePromotionMode(std::string_view name);

struct PromotionPolicy {
  PromotionMode mode = PromotionMode::kAuto;
  // How much lower, in macro-F1 and in accuracy (0..1), a candidate may be: retraining with more
  // labels is worth a little noise.
  double margin = 0.01;
};

struct Verdict {
  bool promote = false;
  std::string reason;  // with the figures, for people
};

// Both scorecards are over the same rows; nullopt: nothing serves yet.
// Throws kInvalidArgument where they judge different numbers of rows.
Verdict Decide(const Scorecard& candidate, const std::optional<Scorecard>& incumbent,
               const PromotionPolicy& policy);

}  // namespace rebound
