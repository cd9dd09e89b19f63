// Measures `suppress` and `fault` of the served answers on labelled rows. Pure, Thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "evaluation/labelled_text.h"
#include "evaluation/suppress_report.h"

namespace rebound {

struct ModelSet;

// The right answer to a row is what its accepted labels and its own codes say; a row whose accepted
// labels say several things is open. nullopt where a task has no model or no row has all three
// labels. `with_fallback` as in JudgeTask. Throws kInvalidArgument naming the row for a class that
// its task does not have.
std::optional<SuppressReport> MeasureSuppression(const ModelSet& models,
                                                 const std::vector<LabelledText>& rows,
                                                 bool with_fallback);

}  // namespace rebound
