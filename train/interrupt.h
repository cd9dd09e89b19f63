// Ctrl-C and SIGTERM as a question that the run asks between batches. Thread-safe.
#pragma once

namespace rebound {

// From here on the first SIGINT or SIGTERM is remembered; the second of its kind ends the process.
void CatchInterrupts();
bool IsInterrupted();

// A child of --task all ends with its parent, even where that was killed with SIGKILL: the kernel
// sends it a SIGTERM then. The parent names itself in this variable.
inline constexpr const char* kParentVariable = "REBOUND_TRAIN_PARENT";
void EndWithParent();

}  // namespace rebound
