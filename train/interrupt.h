// Ctrl-C and SIGTERM as a question that the run asks between batches. Thread-safe.
#pragma once

namespace rebound {

// From here on the first SIGINT or SIGTERM is remembered; the second of its kind ends the process.
void CatchInterrupts();
bool IsInterrupted();

}  // namespace rebound
