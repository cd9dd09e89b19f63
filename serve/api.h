// The HTTP API without sockets: a request in, an answer out.
//
// Handle never throws and calls `done` exactly once; what goes wrong becomes problem+json. The
// routes are a table in api.cc; what they do stands in classify_routes.cc and status_routes.cc.
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "serve/cache.h"
#include "serve/http.h"
#include "serve/reload.h"
#include "serve/uri.h"

namespace rebound {

struct ApiOptions {
  size_t max_batch = 1000;
  std::string api_key;  // empty: everything is open
  // What /v1/cache/* tells beside the cache's own figures.
  std::string cache_folder;
  size_t cache_max_bytes = 0;
  bool cache_stats = false;
  bool cache_timer = false;
};

class Api {
 public:
  using Statuses = std::function<std::vector<TaskStatus>()>;

  // The pointers must outlive the Api.
  Api(const ApiOptions& options, const Engine* engine, Cache* cache, Statuses statuses);

  void Handle(Request request, const Done& done) noexcept;

  // From now on /readyz says 503, so that a load balancer sends nothing new.
  void StartDrain() { draining_ = true; }

 private:
  struct Call {
    const Request& request;
    const Target& target;
  };
  using Method = Response (Api::*)(const Call&) const;
  struct Route {
    std::string_view method;
    std::string_view path;
    bool open;  // needs no key
    Method answer;
  };
  static const std::vector<Route>& Routes();

  Response Dispatch(const Request& request) const;
  bool HasKey(const Request& request) const;

  // classify_routes.cc
  Response BnacSingleV1(const Call& call) const;
  Response BnacSingleV2(const Call& call) const;
  Response BnacV1(const Call& call) const;
  Response BnacV2(const Call& call) const;
  Response BnacBatch(const Call& call) const;
  Response Backoff(const Call& call) const;
  Response NormaliseTexts(const Call& call) const;
  struct Shape;
  Response ClassifyTexts(const Call& call, const Shape& shape) const;

  // status_routes.cc
  Response Livez(const Call& call) const;
  Response Readyz(const Call& call) const;
  Response Models(const Call& call) const;
  Response CacheStatistics(const Call& call) const;
  Response CacheInfo(const Call& call) const;

  const ApiOptions options_;
  const std::string key_digest_;
  const Engine* const engine_;
  Cache* const cache_;
  const Statuses statuses_;
  std::atomic<bool> draining_{false};
};

}  // namespace rebound
