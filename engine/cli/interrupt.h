// Ctrl-C, asked about where waiting or reading goes on. The second one ends the program at once.
#pragma once

namespace rebound {

// From now on SIGINT and SIGTERM are noted, and reads return early (EINTR).
void NoteInterrupts();
bool IsInterrupted();

}  // namespace rebound
