// The buffers that texts are prepared and answered in, one set a thread. Thread-safe.
#pragma once

#include "engine/engine.h"

namespace rebound {

// The calling thread's own; it ends with the thread.
Engine::Scratch& ScratchOfThread();

}  // namespace rebound
