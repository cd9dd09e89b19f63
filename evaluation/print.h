// Formatted text at the end of a string. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// As printf, of any length.
__attribute__((format(printf, 2, 3))) void Print(std::string* out, const char* format, ...);

// `text` for HTML, in content and in quoted attributes.
std::string EscapeHtml(std::string_view text);

}  // namespace rebound
