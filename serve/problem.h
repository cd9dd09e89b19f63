// Errors as application/problem+json (RFC 9457). The table of types in problem.cc is a wire
// contract: a type never changes its meaning, and serve/README.md lists them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/http.h"

namespace rebound {

// What is wrong with one item of a batch.
struct ItemError {
  size_t index;  // from 0
  std::string detail;
};

// `detail` is a short text for the client: never a path, a query or a cause that is the server's
// own. A 429 or 503 bears Retry-After.
Response MakeProblem(int status, std::string_view detail, const std::vector<ItemError>& items = {});

// The one table from codes to HTTP.
int StatusOf(ErrorCode code);

inline constexpr int kRetryAfterSeconds = 5;

}  // namespace rebound
