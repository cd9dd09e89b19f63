// What every route that classifies shares: a model's output through the cache, booleans of
// the query. Thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/thread_scratch.h"
#include "serve/cache.h"
#include "serve/router.h"

namespace rebound {

// What the model alone says of the prepared text; from `cache` where it holds it, and put there.
// Null: no cache. REQUIRES: Engine::Prepare(…, scratch), models.Get(task).
Prediction PredictionOf(const ModelSet& models, Task task, Cache* cache, Engine::Scratch* scratch);

// False where it is not given. Throws Refusal (400) for another value than a boolean.
bool QueryBool(const Target& target, std::string_view name);

// Throws Refusal (400) where the query has a parameter that is not `known`.
void CheckQuery(const Target& target, std::span<const std::string_view> known);

// 503: the task's model is not there.
Response NoModelYet(Task task);

}  // namespace rebound
