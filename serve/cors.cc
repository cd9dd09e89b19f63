#include "serve/cors.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

// What a page may read of an answer besides the few that it always may, and what it may send.
constexpr const char* kExposed =
    "X-Request-ID, X-Normaliser-Version, Retry-After, Allow, ETag, Content-Disposition";
constexpr const char* kAllowed =
    "Authorization, X-API-Key, Content-Type, X-Request-ID, Idempotency-Key, traceparent, "
    "tracestate";
constexpr const char* kMaxAge = "7200";

// "https://host" or "https://host:port" in lower case, and nothing behind.
bool IsOrigin(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const auto in_scheme = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  const auto in_host = [&](char c) {
    return in_scheme(c) || c == '_' || c == ':' || c == '[' || c == ']';
  };
  const std::string_view name = text.substr(0, scheme), host = text.substr(scheme + 3);
  return !host.empty() && host.front() != ':' && std::all_of(name.begin(), name.end(), in_scheme) &&
         std::all_of(host.begin(), host.end(), in_host);
}

}  // namespace

CorsOptions ParseCorsOrigins(std::string_view text) {
  CorsOptions options;
  if (Trim(text).empty()) return options;
  for (const std::string_view part : Split(text, ',')) {
    const std::string origin = AsciiLower(Trim(part));
    if (origin == "*") {
      options.any_origin = true;
    } else if (IsOrigin(origin)) {
      options.origins.push_back(origin);
    } else {
      throw Error(ErrorCode::kInvalidArgument,
                  "an origin is SCHEME://HOST or SCHEME://HOST:PORT without a path, or *; it is '" +
                      std::string(part) + "'");
    }
  }
  if (options.any_origin && !options.origins.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "* allows every origin: name it alone");
  }
  return options;
}

void AddCorsHeaders(const CorsOptions& options, const Request& request, std::string_view allow,
                    HeaderList* headers) {
  if (!options.enabled()) return;
  const bool preflight =
      !allow.empty() && request.FindHeader("access-control-request-method") != nullptr;
  std::string vary = options.any_origin ? "" : "Origin";
  if (!allow.empty()) {
    vary += std::string(vary.empty() ? "" : ", ") +
            "Access-Control-Request-Method, Access-Control-Request-Headers";
  }
  // For requests without an Origin too: a cache must not hand their answer to a page.
  if (!vary.empty()) headers->emplace_back("Vary", vary);
  const std::string* const origin = request.FindHeader("origin");
  if (origin == nullptr) return;
  const auto& origins = options.origins;
  if (!options.any_origin && std::find(origins.begin(), origins.end(), *origin) == origins.end()) {
    return;
  }
  headers->emplace_back("Access-Control-Allow-Origin", options.any_origin ? "*" : *origin);
  if (options.credentials && !options.any_origin) {
    headers->emplace_back("Access-Control-Allow-Credentials", "true");
  }
  if (preflight) {
    headers->emplace_back("Access-Control-Allow-Methods", allow);
    headers->emplace_back("Access-Control-Allow-Headers", kAllowed);
    headers->emplace_back("Access-Control-Max-Age", kMaxAge);
  } else {
    headers->emplace_back("Access-Control-Expose-Headers", kExposed);
  }
}

}  // namespace rebound
