// What an enhanced status code stands for, in the words of its registry: the text of a report that
// has no other. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// "5.1.1 Bad destination mailbox address"; the code alone where the registry names none.
std::string DescribeStatus(std::string_view status);

}  // namespace rebound
