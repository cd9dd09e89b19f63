// What of a contributed text is kept: masked, and without the personal things that masking alone
// cannot know. `Mask` must leave the canonical form as it is, so it keeps what only looks like
// words; here the text is new to the store, and privacy may cost a word.
//
// Hidden beyond Mask: names beside an address ("Jane Roe" <jane@...>, To: Jane Roe <...>, encoded
// words), quoted local parts, addresses in scripts without blanks, with a blank inside the domain
// or spelt with [at] and [dot], and machines named after people (JANE-PC). Names of providers and
// lists and their codes stay. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// The text as the store keeps it and as a preview shows it: valid UTF-8 without NUL, trimmed, cut
// to kMaxTextBytes, masked. "" where nothing is left. Stable: applied again it changes nothing.
std::string MaskContribution(std::string_view text);

}  // namespace rebound
