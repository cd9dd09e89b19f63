// What the routes about models share: which task and version a request means, and what of an error
// a client may see. Thread-safe.
#pragma once

#include <string>

#include "base/json.h"
#include "models/bundle_store.h"
#include "models/task.h"
#include "serve/router.h"

namespace rebound {

// The task that stands in the path. Throws Refusal (404) for another word.
Task TaskOf(const Call& call);

// The version that a body like {"version":N} names. Throws Refusal (422).
int VersionOf(const JsonValue& body);

// What went wrong in the store, for a client: paths begin at the store's root.
std::string WithoutRoot(std::string text, const BundleStore& store);

}  // namespace rebound
