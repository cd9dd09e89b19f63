#include "evaluation/promotion.h"

#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace rebound {
namespace {

// Forgives the rounding of sums: a loss of exactly a bound passes.
constexpr double kRounding = 5e-7;

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string Signed(double value) { return (value < 0 ? "" : "+") + Figure(value); }

std::string Between(const Difference& difference) {
  return "by " + Signed(difference.value) + ", 95 % interval " + Signed(difference.interval.low) +
         " to " + Signed(difference.interval.high);
}

std::string OwnFigures(const Scorecard& candidate) {
  return "macro-F1 " + Figure(candidate.macro_f1) + ", accuracy " + Figure(candidate.accuracy) +
         " on " + std::to_string(candidate.rows) + " held-out rows";
}

std::string Compared(const Scorecard& candidate, const Scorecard& incumbent) {
  return "macro-F1 " + Figure(candidate.macro_f1) + " against " + Figure(incumbent.macro_f1) +
         ", accuracy " + Figure(candidate.accuracy) + " against " + Figure(incumbent.accuracy) +
         " of the incumbent on " + std::to_string(candidate.rows) + " held-out rows";
}

bool IsFinite(const Scorecard& card) {
  return std::isfinite(card.macro_f1) && std::isfinite(card.accuracy) && std::isfinite(card.ece);
}

void CheckSameRows(const Scorecard& candidate, const IncumbentComparison& incumbent) {
  if (candidate.rows != incumbent.scorecard.rows) {
    throw Error(ErrorCode::kInvalidArgument,
                "candidate and incumbent were judged on different "
                "rows: " +
                    std::to_string(candidate.rows) + " and " +
                    std::to_string(incumbent.scorecard.rows));
  }
  if (candidate.classes.size() != incumbent.scorecard.classes.size() ||
      candidate.classes.size() != incumbent.differences.class_f1.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "candidate and incumbent were judged on different classes");
  }
}

void RefuseLoss(const std::string& name, const Difference& difference, double candidate,
                double incumbent, double margin, std::vector<std::string>* reasons) {
  if (!difference.IsLoss() || -difference.value <= margin + kRounding) return;
  reasons->push_back(name + " is lower than the incumbent's " + Between(difference) + ": " +
                     Figure(candidate) + " against " + Figure(incumbent));
}

void RefuseClasses(const Scorecard& candidate, const IncumbentComparison& incumbent,
                   const PromotionPolicy& policy, std::vector<std::string>* reasons) {
  for (size_t i = 0; i < candidate.classes.size(); ++i) {
    const ClassScore& ours = candidate.classes[i];
    const Difference& difference = incumbent.differences.class_f1[i];
    if (ours.support == 0 || -difference.value <= policy.class_bound + kRounding) continue;
    if (ours.support < policy.class_rows && !difference.IsLoss()) continue;
    reasons->push_back("class " + ours.label + " loses more F1 than " + Figure(policy.class_bound) +
                       " " + Between(difference) + ": " + Figure(ours.f1) + " against " +
                       Figure(incumbent.scorecard.classes[i].f1) + " on " +
                       std::to_string(ours.support) + " rows");
  }
}

void RefuseCalibration(const Scorecard& candidate, const Scorecard& incumbent,
                       const PromotionPolicy& policy, std::vector<std::string>* reasons) {
  if (candidate.ece <= policy.ece_allowed + kRounding ||
      candidate.ece - incumbent.ece <= policy.ece_margin + kRounding) {
    return;
  }
  reasons->push_back("calibration is worse by more than " + Figure(policy.ece_margin) +
                     " and the error above " + Figure(policy.ece_allowed) + ": ECE " +
                     Figure(candidate.ece) + " against " + Figure(incumbent.ece));
}

std::vector<std::string> FindReasonsAgainst(const PromotionCase& c, const PromotionPolicy& policy) {
  std::vector<std::string> reasons;
  if (!IsFinite(c.candidate)) reasons.push_back("the candidate's figures are not finite");
  if (c.incumbent && c.candidate.rows == 0) {
    reasons.push_back("no held-out row compares it with the incumbent; --promote always overrides");
  } else if (c.incumbent && IsFinite(c.candidate)) {
    const Scorecard& incumbent = c.incumbent->scorecard;
    const ScoreDifferences& differences = c.incumbent->differences;
    RefuseLoss("macro-F1", differences.macro_f1, c.candidate.macro_f1, incumbent.macro_f1,
               policy.margin, &reasons);
    RefuseLoss("accuracy", differences.accuracy, c.candidate.accuracy, incumbent.accuracy,
               policy.margin, &reasons);
    RefuseClasses(c.candidate, *c.incumbent, policy, &reasons);
    RefuseCalibration(c.candidate, incumbent, policy, &reasons);
  }
  reasons.insert(reasons.end(), c.failed_must_pass.begin(), c.failed_must_pass.end());
  return reasons;
}

}  // namespace

std::optional<PromotionMode> ParsePromotionMode(std::string_view name) {
  if (name == "auto") return PromotionMode::kAuto;
  if (name == "always") return PromotionMode::kAlways;
  if (name == "never") return PromotionMode::kNever;
  return std::nullopt;
}

std::string Verdict::Reason() const {
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  return all;
}

Verdict Decide(const PromotionCase& c, const PromotionPolicy& policy) {
  if (c.incumbent) CheckSameRows(c.candidate, *c.incumbent);
  Verdict verdict;
  std::vector<std::string> against = FindReasonsAgainst(c, policy);
  switch (policy.mode) {
    case PromotionMode::kNever:
      verdict.reasons.emplace_back("told never to promote");
      break;
    case PromotionMode::kAlways:
      verdict.promote = true;
      verdict.reasons.emplace_back("told always to promote");
      break;
    case PromotionMode::kAuto:
      verdict.promote = against.empty();
      if (!against.empty()) break;
      verdict.reasons.push_back(c.incumbent ? "nothing speaks against it: " +
                                                  Compared(c.candidate, c.incumbent->scorecard)
                                            : "no incumbent; " + OwnFigures(c.candidate));
  }
  // Also where somebody decided otherwise: the record tells what they overrode.
  for (std::string& reason : against) verdict.reasons.push_back(std::move(reason));
  return verdict;
}

}  // namespace rebound
