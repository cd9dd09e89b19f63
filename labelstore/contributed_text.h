// What of a contributed text is kept: masked, and without the personal things that masking alone
// cannot know. `Mask` must leave the canonical form as it is, so it keeps what only looks like
// words; here the text is new to the store, and privacy may cost a word.
//
// Hidden beyond Mask: names beside an address or behind a salutation, a title or a closing; given
// names with what belongs to them; logins, directory entries, folders, telephones and computers of
// people; addresses that were broken or spelt out. Words that servers use stay (server_words.h), as
// do providers, lists and their codes. docs/contributions.md has the rules and their figures. A
// person becomes `__email__`, the one token for someone that models know. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// The text as the store keeps it and as a preview shows it: valid UTF-8 without NUL, trimmed, cut
// to kMaxTextBytes, masked. "" where nothing is left. Stable: applied again it changes nothing.
// Takes time in proportion to the text. What cannot be decided stays: models learn from it.
std::string MaskContribution(std::string_view text);

// The same for what people write about a text (comments, notes), which nobody learns from: what
// cannot be decided goes, every capitalised word that servers do not use with it.
std::string MaskComment(std::string_view comment);

}  // namespace rebound
