// What candidates have to beat where a fleet follows the registry: the version that was promoted
// there, which need not be what CURRENT of this machine names.
#pragma once

#include <string>
#include <vector>

#include "labelstore/model_registry.h"
#include "models/bundle_store.h"

namespace rebound {

struct FleetIncumbent {
  Task task = Task::kBnac;
  int version = 0;      // that the registry promoted
  std::string problem;  // why it cannot be had: then CURRENT is compared with; empty: it is there
};

// Where CURRENT of `models` is not what the registry promoted: brings that to `fleet` and makes it
// current there. `models` is left as it is. Throws kUnavailable where the registry is away.
std::vector<FleetIncumbent> FetchIncumbents(ModelRegistry* registry, const BundleStore& models,
                                            BundleStore* fleet);

// The one of the two whose current bundle a candidate of the task has to beat.
const BundleStore& IncumbentsOf(Task task, const BundleStore& models, const BundleStore& fleet);

}  // namespace rebound
