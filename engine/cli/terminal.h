// What a command needs to know of the terminal, and lines that cannot steer it. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// Columns of standard output; 0: no terminal, any width will do.
size_t TerminalWidth();
// Standard output is a terminal and nobody said NO_COLOR (no-color.org).
bool WantsColours();

// One line of printable characters, valid UTF-8: controls and marks of direction become a blank. A
// text of somebody else must not steer the terminal.
std::string OneLine(std::string_view text);
// With blanks up to `width` bytes.
std::string Padded(std::string_view text, size_t width);

}  // namespace rebound
