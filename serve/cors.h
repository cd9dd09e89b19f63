// Which web pages of other origins may call: Cross-Origin Resource Sharing (the Fetch standard).
// Off by default. Immutable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/http.h"

namespace rebound {

struct CorsOptions {
  bool any_origin = false;
  std::vector<std::string> origins;  // "https://portal.example.com"; as a browser sends them
  bool credentials = false;          // client certificates; never with any_origin
  bool enabled() const { return any_origin || !origins.empty(); }
};

// "*", or origins with commas between; "" is off. Throws kInvalidArgument for what no browser would
// ever send as an origin, and for `*` beside an origin.
CorsOptions ParseCorsOrigins(std::string_view text);

// Adds what the browser must hear about an answer to this request. `allow` is not empty for the
// answer to OPTIONS, and names the methods of the path.
void AddCorsHeaders(const CorsOptions& options, const Request& request, std::string_view allow,
                    HeaderList* headers);

}  // namespace rebound
