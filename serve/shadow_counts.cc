#include "serve/shadow_counts.h"

namespace rebound {

void ShadowCounts::Add(const TaskAnswer& incumbent, const TaskAnswer& candidate, double seconds) {
  ++compared;
  candidate_seconds += seconds;
  if (incumbent.model_label != candidate.model_label) ++model_disagreed;
  if (incumbent.label == candidate.label) return;
  ++disagreed;
  Disagreement& pair = by_labels[{incumbent.label, candidate.label}];
  ++pair.texts;
  pair.incumbent_probability += static_cast<double>(incumbent.probability);
  pair.candidate_probability += static_cast<double>(candidate.probability);
}

double ShadowCounts::IncumbentProbability() const {
  double sum = 0;
  for (const auto& [labels, pair] : by_labels) sum += pair.incumbent_probability;
  return sum;
}

double ShadowCounts::CandidateProbability() const {
  double sum = 0;
  for (const auto& [labels, pair] : by_labels) sum += pair.candidate_probability;
  return sum;
}

}  // namespace rebound
