#include "engine/cli/debug.h"

#include "base/log.h"

namespace rebound {

void SetDebug(bool all) { SetLog(all ? LogLevel::kDebug : LogLevel::kError); }

}  // namespace rebound
