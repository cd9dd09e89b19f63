// What `rebound overrides` shows. The JSON is that of the routes under /v3/overrides, whoever made
// it. Nothing of it steers a terminal. Thread-safe.
#pragma once

#include <ostream>
#include <vector>

#include "base/json.h"
#include "engine/overrides/lint.h"

namespace rebound {

// Of POST /v3/overrides/test: class and rule, as Momentum's console has them, and where the rule
// stands.
void PrintTest(const JsonValue& verdict, std::ostream* out);
void PrintFindings(const std::vector<LintFinding>& findings, size_t rules, std::ostream* out);
// Of GET /v3/overrides.
void PrintStatus(const JsonValue& status, std::ostream* out);
// Whether every list was read well, last.
bool IsAllRead(const JsonValue& status);

}  // namespace rebound
