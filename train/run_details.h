// What a run's record tells beside its figures, as JSON: what made the model, what it was compared
// with, and why it serves or not. Pure, Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/promotion.h"
#include "labelstore/must_pass.h"
#include "train/task_draft.h"

namespace rebound {

struct RunDetails {
  std::map<std::string, std::string> options;  // train/recorded_options.h
  std::map<std::string, std::string> environment;
  std::string tokenizer_sha256;
  std::string tokenizer_origin;  // for people
  IncumbentName incumbent;
  std::optional<ScoreDifferences> differences;  // candidate minus incumbent
  std::vector<MustPassResult> must_pass;
  PromotionMode mode = PromotionMode::kAuto;
  std::optional<Verdict> verdict;  // nullopt: it never came to one
};

std::string WriteRunDetails(const RunDetails& details);

}  // namespace rebound
