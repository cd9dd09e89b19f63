// MODEL_CARD.md: what a bundle is, what it learned from, how good it is and where it ends. Pure,
// Thread-safe.
#pragma once

#include <string>

#include "evaluation/scorecard.h"
#include "models/bundle.h"

namespace rebound {

struct CardFacts {
  size_t training_groups = 0;
  size_t judging_groups = 0;
  std::string tokenizer_origin;
};

std::string WriteModelCard(const BundleConfig& config, const Scorecard& scorecard,
                           const CardFacts& facts);

}  // namespace rebound
