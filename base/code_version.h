// Which code this program was made from.
#pragma once

#include <string_view>

namespace rebound {

// "0.1.0+1a2b3c4d5e6f": the version and, behind the plus (semver.org, build metadata), the commit;
// ".changed" follows where files differed from it. "0.1.0" where it was not built in a git
// checkout.
std::string_view CodeVersion();

}  // namespace rebound
