// What the rules would say of a text, without an answer: for `rebound overrides test` and
// POST /v3/overrides/test. Thread-safe.
#pragma once

#include <string_view>

#include "base/json.h"
#include "engine/ruling.h"

namespace rebound {

// {"matched":…, class and rule of the override and where it stands, "text_rules":[…]}; counts no
// hit. `domain`: the recipient's, empty where it is not known. REQUIRES: sources.text_rules.
void WriteRuleTest(const RuleSources& sources, BounceKind kind, std::string_view text,
                   std::string_view domain, JsonWriter* writer);

}  // namespace rebound
