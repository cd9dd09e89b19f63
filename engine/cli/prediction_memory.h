// Remembers the models' outputs for texts that come again: logs repeat themselves. Forgets all at
// once when it is full. Thread-compatible.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/engine.h"

namespace rebound {

class PredictionMemory {
 public:
  explicit PredictionMemory(size_t most_texts = 100'000) : most_texts_(most_texts) {}

  // As Engine::Predict. REQUIRES: the same models at every call.
  Prediction Predict(const ModelSet& models, Task task, Engine::Scratch* scratch) {
    auto found = texts_.find(scratch->normalised);
    if (found == texts_.end()) {
      if (texts_.size() >= most_texts_) texts_.clear();
      found = texts_.emplace(scratch->normalised, Outputs()).first;
    }
    std::optional<Prediction>& output = found->second[Index(task)];
    if (!output) output = Engine::Predict(models, task, scratch);
    return *output;
  }

 private:
  using Outputs = std::array<std::optional<Prediction>, kTaskCount>;
  const size_t most_texts_;
  std::unordered_map<std::string, Outputs> texts_;
};

}  // namespace rebound
