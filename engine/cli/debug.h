// The engine's own log lines on standard error: errors alone, or everything.
#pragma once

namespace rebound {

// Call before threads start.
void SetDebug(bool all);

}  // namespace rebound
