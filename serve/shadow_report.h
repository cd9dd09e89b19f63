// What people and Prometheus are told of shadows. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/json.h"
#include "serve/metrics_text.h"
#include "serve/shadow.h"

namespace rebound {

// The shadow of a task as fields of an object that is open. `whole`: with the disagreements by pair
// of labels, the most frequent first, and what became of them.
void WriteShadow(const ShadowStatus& status, double sample, bool whole, JsonWriter* writer);

// Labels are tasks, versions and classes: of the pairs of classes those that came up.
void WriteShadowMetrics(const std::vector<ShadowStatus>& statuses, uint64_t dropped,
                        MetricsText* text);

}  // namespace rebound
