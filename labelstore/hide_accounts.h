// The steps of MaskContribution that hide what people are called by machines. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// `__email__` for the values of fields and directory entries, before Mask has gone over the text:
// user=jane, cn=Jane Roe,ou=People.
std::string HideFields(std::string_view text);

// `__email__` for logins in a masked text: user jroe unknown, mailbox 'jroe', <jroe>,
// jroe... User unknown, jane.roe.
std::string HideLogins(std::string_view masked);

// A masked text without the pages of known sites that are no server's: __url__ google JaneRoe.
std::string HidePages(std::string_view masked);

}  // namespace rebound
