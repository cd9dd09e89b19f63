// Who asks, and what a key may be good for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/rate_limit.h"

namespace rebound {

// What a key must be good for. kOpen needs none; kMetrics needs one only with --metrics-key.
enum class Scope { kOpen, kMetrics, kClassify, kContribute, kAdmin };

// "classify", "contribute", "admin", ...
std::string_view ScopeName(Scope scope);

// Who a request comes from. All keys of one name are one principal.
struct Principal {
  std::string name;          // of the key; empty: nobody in particular
  std::optional<Rate> rate;  // where the key has one of its own
  bool known() const { return !name.empty(); }
};

inline const Principal kNobody;

}  // namespace rebound
