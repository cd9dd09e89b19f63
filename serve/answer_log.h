// A line a text at debug level: its class and the rule that decided, as Momentum's log has them.
// At any other level these cost a comparison. Thread-safe.
#pragma once

#include <string_view>

#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/ruling.h"

namespace rebound {

// Of one task's answer. The text stands in the line in its normalised form, in which addresses,
// hosts and numbers are masked.
void LogAnswer(std::string_view text, Task task, const TaskAnswer& answer, const Ruling& ruling);
// Of all tasks that were asked, and Momentum's code.
void LogAnswer(const Answer& answer);

}  // namespace rebound
