// The HTTP API without sockets: a request in, an answer out.
//
// Handle never throws and calls `done` exactly once; what goes wrong becomes problem+json. The Api
// puts the groups of routes together and does for all of them what is common: request ids, the gate
// (serve/gate.h), 404 and 405, OPTIONS, the access log. Thread-safe.
#pragma once

#include <string>

#include "engine/engine.h"
#include "serve/cache.h"
#include "serve/classify_routes.h"
#include "serve/gate.h"
#include "serve/http.h"
#include "serve/router.h"
#include "serve/status_routes.h"

namespace rebound {

struct ApiOptions {
  size_t max_batch = 1000;
  GateOptions gate;
  CacheFacts cache;
};

class Api {
 public:
  // The pointers must outlive the Api. Throws kInvalidArgument where the gate's files cannot be
  // had.
  Api(const ApiOptions& options, const Engine* engine, Cache* cache, Statuses statuses);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void Handle(Request request, const Done& done) noexcept;

  // From now on /readyz says 503.
  void StartDrain() { status_.StartDrain(); }
  // The keys file and the access log's file anew. False where the keys were refused.
  bool Reload() { return gate_.Reload(); }

  const Router& router() const { return router_; }

 private:
  struct Exchange;
  Response Answer(Exchange* exchange);
  Response Dispatch(Exchange* exchange);
  void Finish(const Exchange& exchange, Response* response);

  Gate gate_;
  const ClassifyRoutes classify_;
  StatusRoutes status_;
  Router router_;
};

}  // namespace rebound
