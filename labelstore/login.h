// What a login or a local part looks like, for the steps that hide them. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace rebound {

// Where the login from `begin` ends: letters and digits of one kind of script, inside it . _ - +
// and the stars of a hidden half. `begin` where there is none.
size_t LoginEnd(std::string_view text, size_t begin);

// Whether a server may have written it: every word of it is known, or it has none.
bool IsServersLogin(std::string_view login);

// Whether files end so ("exe", "lock"), in any case.
bool IsFileType(std::string_view ending);

// jane.roe, j_roe: two or three pieces in small letters that servers do not know, and no file.
bool IsDottedLogin(std::string_view login);

}  // namespace rebound
