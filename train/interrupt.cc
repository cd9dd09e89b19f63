#include "train/interrupt.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace rebound {
namespace {

volatile sig_atomic_t interrupted = 0;

void Remember(int) { interrupted = 1; }

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = Remember;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void EndWithParent() {
  const char* parent = std::getenv(kParentVariable);
  if (parent == nullptr) return;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have died before the kernel was asked.
  if (std::to_string(getppid()) != parent) interrupted = 1;
}

bool IsInterrupted() { return interrupted != 0; }

}  // namespace rebound
