#include "serve/prediction.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {

Prediction PredictionOf(const ModelSet& models, Task task, Cache* cache, Engine::Scratch* scratch) {
  if (cache == nullptr) return Engine::Predict(models, task, scratch);
  const Classifier& model = *models.Get(task);
  const CacheKey key = cache->MakeKey(task, model.hash(), scratch->normalised);
  // What comes from a snapshot's file is not believed blindly.
  if (const auto known = cache->Get(key); known && known->label < model.config().labels.size()) {
    return *known;
  }
  const Prediction prediction = Engine::Predict(models, task, scratch);
  cache->Put(key, prediction);
  return prediction;
}

bool QueryBool(const Target& target, std::string_view name) {
  try {
    return FindBool(target, name).value_or(false);
  } catch (const Error& e) {
    throw Refusal{MakeProblem(400, e.what())};
  }
}

void CheckQuery(const Target& target, std::span<const std::string_view> known) {
  for (const auto& [name, value] : target.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Refusal{MakeProblem(400, "there is no query parameter '" + RepairUtf8(name) + "'")};
    }
  }
}

Response NoModelYet(Task task) {
  return MakeProblem(503, "no model for task '" + std::string(TaskName(task)) +
                              "' is loaded yet; /readyz tells why");
}

}  // namespace rebound
