#include "engine/thread_scratch.h"

namespace rebound {

Engine::Scratch& ScratchOfThread() {
  thread_local Engine::Scratch scratch;
  return scratch;
}

}  // namespace rebound
