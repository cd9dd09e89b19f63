// The step of MaskContribution that hides addresses which masking does not see. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// `__email__` for addresses with quoted local parts, in scripts without blanks, with blanks inside,
// half hidden (j***e@g***.com) or with an at sign that is spelt ([at], &#64;, %40, "at ... dot").
// Addresses that Mask hides stay for it: it keeps the names of known hosts.
std::string HideOddAddresses(std::string_view text);

}  // namespace rebound
