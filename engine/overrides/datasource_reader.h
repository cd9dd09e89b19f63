// The data sources of override rules, over datasource/: a target of its own, so that programs
// without them link no database.
#pragma once

#include "engine/overrides/rule_source.h"

namespace rebound {

// Opens the source for every read, within DatasourceLimits. Thread-safe.
DatasourceReader MakeDatasourceReader();

}  // namespace rebound
