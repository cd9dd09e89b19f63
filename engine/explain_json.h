// Explanations as JSON. Pure, Thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "engine/explain.h"

namespace rebound {

// `"bnac":[{"begin":12,"end":24,"text":"User unknown","weight":3.1},…]`, the key that of the task.
// Bytes count from `offset` bytes before the text (what trimming took). `weight` is absent where no
// model weighed.
void WriteExplained(Task task, std::string_view text, size_t offset,
                    std::span<const ExplainedSpan> spans, JsonWriter* writer);

}  // namespace rebound
