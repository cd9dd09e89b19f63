// Request targets: path and query, percent-decoded. Pure, Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rebound {

struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>>
      query;  // in order; a name alone has the value ""
};

// Takes origin-form and absolute-form; `+` in a query is a space. Throws kInvalidArgument where a
// `%` is not followed by two hexadecimal digits, or where the path does not begin with `/`.
Target ParseTarget(std::string_view target);

// The boolean of this name, nullopt where it is not there. Throws kInvalidArgument for another
// value than true, false, 1 and 0, and where it is given twice.
std::optional<bool> FindBool(const Target& target, std::string_view name);

}  // namespace rebound
