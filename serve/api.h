// The HTTP API without sockets: a request in, an answer out.
//
// Handle never throws and calls `done` exactly once; what goes wrong becomes problem+json. The Api
// puts the groups of routes together and does for all of them what is common: request ids, keys,
// 404 and 405. Thread-safe.
#pragma once

#include <string>

#include "engine/engine.h"
#include "serve/cache.h"
#include "serve/classify_routes.h"
#include "serve/http.h"
#include "serve/router.h"
#include "serve/status_routes.h"

namespace rebound {

struct ApiOptions {
  size_t max_batch = 1000;
  std::string api_key;  // empty: everything is open
  CacheFacts cache;
};

class Api {
 public:
  // The pointers must outlive the Api.
  Api(const ApiOptions& options, const Engine* engine, Cache* cache, Statuses statuses);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void Handle(Request request, const Done& done) noexcept;

  // From now on /readyz says 503.
  void StartDrain() { status_.StartDrain(); }

  const Router& router() const { return router_; }

 private:
  Response Dispatch(const Request& request) const;
  bool HasKey(const Request& request) const;

  const std::string key_digest_;
  const ClassifyRoutes classify_;
  StatusRoutes status_;
  Router router_;
};

}  // namespace rebound
