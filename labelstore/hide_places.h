// The steps of MaskContribution that hide folders, telephones and computers of people. Each takes
// the text before Mask has gone over it. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// `__id__` for the parts of a path behind a folder that holds people: /home/jane/Maildir,
// C:\Users\jane\.
std::string HidePaths(std::string_view text);

// `__num__` for +49 30 1234567, (555) 438-2291 and numbers behind a word such as "phone".
std::string HideTelephones(std::string_view text);

// `__host__` for machines named after people: JANE-PC, DESKTOP-4F2K9QX.
std::string HideMachines(std::string_view text);

}  // namespace rebound
