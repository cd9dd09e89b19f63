// The facts of a text as fields of an answer. What a text does not tell is absent. Pure,
// Thread-safe.
#pragma once

#include "base/json.h"
#include "engine/facts.h"

namespace rebound {

// `smtp`, `retry_after`, `blocklist` and `provider` of /v3/classify.
void WriteFacts(const Facts& facts, JsonWriter* writer);

// `retryAfter` and `blocklist` of /api/classify, in the shapes of the postalsys classifier.
void WriteLabelFacts(const Facts& facts, JsonWriter* writer);

}  // namespace rebound
