// Holds JSON to the schemas of openapi.json.
#pragma once

#include <string>

#include "base/json.h"

namespace rebound::test {

// What of `value` is not as `schema` says, with the place in it; empty: all is well. Knows the
// keywords that openapi.json uses; throws std::runtime_error for any other, so that none is
// believed to hold while it is ignored. `document` is what $ref points into.
std::string ShapeProblem(const JsonValue& document, const JsonValue& schema, const JsonValue& value,
                         const std::string& place = "");

// The thing itself, or what its $ref names. Throws std::runtime_error where that is not there.
const JsonValue& Resolve(const JsonValue& document, const JsonValue& value);

}  // namespace rebound::test
