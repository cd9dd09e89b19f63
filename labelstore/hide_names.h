// The steps of MaskContribution that hide names of people. Each takes a text that Mask has gone
// over. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace rebound {

// Without the names beside addresses: "Jane Roe" <__email__>, Jane Roe via list <__email__>,
// __email__ (Jane Roe).
std::string HideDisplayNames(std::string_view masked);

// Without MIME's encoded words (=?utf-8?Q?Jane_Roe?=): nobody can read a word of a server in them.
std::string HideEncodedWords(std::string_view text);

// `__email__` for names behind a salutation, a title, a header's name or a closing, and for given
// names with what belongs to them.
std::string HideAddressedNames(std::string_view masked);

// For a comment, where privacy outweighs the words: `__email__` for every capitalised word that
// servers do not know, and for given names of any case.
std::string HideUnknownNames(std::string_view masked);

// Adds to `*words` what the addresses of `text` call their owners: "jane" and "roe" of
// jane.roe@example.org, not the words that servers know.
void AddOwnersOfAddresses(std::string_view text, std::unordered_set<std::string>* words);

// `__email__` for each of `words` that stands alone in the text, in any case.
std::string HideWords(std::string_view masked, const std::unordered_set<std::string>& words);

}  // namespace rebound
