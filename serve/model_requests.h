// What the routes about models share: which task and version a request means, and what of an error
// a client may see. Thread-safe.
#pragma once

#include <string>

#include "models/bundle_store.h"
#include "models/task.h"
#include "serve/http.h"
#include "serve/router.h"

namespace rebound {

// The task that stands in the path. Throws Refusal (404) for another word.
Task TaskOf(const Call& call);

// {"version":N}. Throws Refusal (422).
int VersionOf(const Request& request);

// What went wrong in the store, for a client: paths begin at the store's root.
std::string WithoutRoot(std::string text, const BundleStore& store);

}  // namespace rebound
