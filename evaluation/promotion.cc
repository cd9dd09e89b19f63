#include "evaluation/promotion.h"

#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace rebound {
namespace {

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string Compared(const Scorecard& candidate, const Scorecard& incumbent) {
  return "macro-F1 " + Figure(candidate.macro_f1) + " against " + Figure(incumbent.macro_f1) +
         ", accuracy " + Figure(candidate.accuracy) + " against " + Figure(incumbent.accuracy) +
         " of the incumbent on " + std::to_string(candidate.rows) + " held-out rows";
}

}  // namespace

std::optional<PromotionMode> ParsePromotionMode(std::string_view name) {
  if (name == "auto") return PromotionMode::kAuto;
  if (name == "always") return PromotionMode::kAlways;
  if (name == "never") return PromotionMode::kNever;
  return std::nullopt;
}

Verdict Decide(const Scorecard& candidate, const std::optional<Scorecard>& incumbent,
               const PromotionPolicy& policy) {
  if (policy.mode == PromotionMode::kNever) return {false, "told never to promote"};
  if (policy.mode == PromotionMode::kAlways) return {true, "told always to promote"};
  if (!std::isfinite(candidate.macro_f1) || !std::isfinite(candidate.accuracy)) {
    return {false, "the candidate's figures are not finite"};
  }
  if (!incumbent) {
    return {true, "no incumbent; macro-F1 " + Figure(candidate.macro_f1) + ", accuracy " +
                      Figure(candidate.accuracy) + " on " + std::to_string(candidate.rows) +
                      " held-out rows"};
  }
  if (candidate.rows != incumbent->rows) {
    throw Error(ErrorCode::kInvalidArgument,
                "candidate and incumbent were judged on different rows: " +
                    std::to_string(candidate.rows) + " and " + std::to_string(incumbent->rows));
  }
  if (candidate.rows == 0) {
    return {false, "no held-out row compares it with the incumbent; --promote always overrides"};
  }
  const std::string compared = Compared(candidate, *incumbent);
  // Half a millionth forgives the rounding of sums: a difference of exactly the margin passes.
  const double allowed = policy.margin + 5e-7;
  const bool f1_holds = candidate.macro_f1 >= incumbent->macro_f1 - allowed;
  const bool accuracy_holds = candidate.accuracy >= incumbent->accuracy - allowed;
  if (f1_holds && accuracy_holds) {
    return {true, "not worse by more than " + Figure(policy.margin) + ": " + compared};
  }
  const char* what =
      f1_holds ? "accuracy" : (accuracy_holds ? "macro-F1" : "macro-F1 and accuracy");
  return {false,
          std::string(what) + " worse by more than " + Figure(policy.margin) + ": " + compared};
}

}  // namespace rebound
