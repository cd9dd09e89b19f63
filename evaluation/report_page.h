// The fixed parts of the HTML report.
#pragma once

#include <string_view>

namespace rebound {

// From the doctype to the opened body, with the style sheet.
extern const std::string_view kPageHead;
// How the figures are meant; closes the body.
extern const std::string_view kPageFoot;

}  // namespace rebound
