// The state of the models as JSON, for probes and operators. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "models/bundle_store.h"
#include "serve/registry_status.h"
#include "serve/reload.h"
#include "serve/shadow.h"

namespace rebound {

// One object a task: what serves, and `error` where it is not what CURRENT names. What does not
// apply is absent.
std::string ModelsJson(const std::vector<TaskStatus>& statuses);
// With the training data, the last reload, the versions that `store` holds, what a server that
// follows the registry knows of it, and the shadows.
std::string ModelsJson(const std::vector<TaskStatus>& statuses, const BundleStore& store,
                       const std::optional<RegistryStatus>& registry, const Shadow* shadow);

}  // namespace rebound
