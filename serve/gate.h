// What stands before every route: keys and scopes, rates, pages of other origins, the access log.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/access_log.h"
#include "serve/cors.h"
#include "serve/http.h"
#include "serve/keys.h"
#include "serve/principal.h"
#include "serve/proxies.h"
#include "serve/rate_limit.h"

namespace rebound {

struct GateOptions {
  KeysOptions keys;
  Rate rate;  // of each key without one of its own, and of each address that comes without a key
  TrustedProxies proxies;
  CorsOptions cors;
  std::optional<AccessLogOptions> access_log;
};

class Gate {
 public:
  // Throws kInvalidArgument where the keys or the log cannot be had.
  explicit Gate(const GateOptions& options);

  // nullopt where the request may pass; else the answer to it: 401, 403 or 429. Either way
  // `*caller` says who asks. What needs no scope is never counted.
  std::optional<Response> Refuse(const Request& request, Scope scope, Principal* caller);
  // Tells how many texts a request that passed was answered for.
  void Count(const Request& request, Scope scope, const Principal& caller, size_t texts);

  // Whom rates and the access log take for the client: the peer, or who stands behind trusted
  // proxies.
  std::string ClientOf(const Request& request) const { return proxies_.ClientOf(request); }

  const CorsOptions& cors() const { return cors_; }
  AccessLog* access_log() { return access_log_ ? &*access_log_ : nullptr; }  // null: none

  // The keys file anew, the log file anew. False where the keys were refused.
  bool Reload();

 private:
  struct Bucket;
  Bucket BucketOf(const Request& request, const Principal& caller);

  Keys keys_;
  const Rate rate_;
  const TrustedProxies proxies_;
  const CorsOptions cors_;
  std::optional<AccessLog> access_log_;
  // Apart, so that no flood of addresses makes a key's bucket forgotten.
  RateTable by_key_;
  RateTable by_peer_;
};

}  // namespace rebound
