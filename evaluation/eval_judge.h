// Measures the served answers of one task on labelled rows: what rebound-eval reports. Pure but for
// the bundle's own scorecard, which is read from its folder. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluation/labelled_text.h"
#include "evaluation/report.h"

namespace rebound {

struct ModelSet;
enum class Task : uint8_t;

// Positions in TaskLabels of the classes that the row accepts, in its order; empty where the row
// has none. Throws kInvalidArgument naming the row for a class that the task does not have.
std::vector<size_t> FindAccepted(Task task, const LabelledText& row);
// "SPF or DKIM". REQUIRES: the row has the task's key.
std::string JoinAccepted(Task task, const LabelledText& row);

// Rows without the task's key are passed over; a report without rows where none has it.
// `with_fallback`: the status code answers where the model is not sure, as in a server.
// Throws kInvalidArgument naming the row for a class that the task does not have.
// REQUIRES: a model of `task`.
TaskReport JudgeTask(Task task, const ModelSet& models, const std::filesystem::path& bundle,
                     const std::vector<LabelledText>& rows, bool with_fallback);

}  // namespace rebound
