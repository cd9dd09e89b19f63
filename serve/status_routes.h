// Probes and the cache's figures. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "serve/cache.h"
#include "serve/registry_status.h"
#include "serve/reload.h"
#include "serve/router.h"

namespace rebound {

// What /v1/cache/* tells beside the cache's own figures.
struct CacheFacts {
  std::string folder;
  size_t max_bytes = 0;
  bool stats = false;  // hits and misses are told
  bool timer = false;
};

using Statuses = std::function<std::vector<TaskStatus>()>;

class StatusRoutes {
 public:
  // `cache` must outlive the object, and the object the router.
  StatusRoutes(const Cache* cache, CacheFacts facts, Statuses statuses, RegistryStatuses registry)
      : cache_(cache),
        facts_(std::move(facts)),
        statuses_(std::move(statuses)),
        registry_(std::move(registry)) {}

  void AddTo(Router* router) const;
  // From now on /readyz says 503, so that a load balancer sends nothing new.
  void StartDrain() { draining_ = true; }

 private:
  Response Livez() const;
  Response Readyz() const;
  Response CacheStatistics() const;
  Response CacheInfo() const;

  const Cache* const cache_;
  const CacheFacts facts_;
  const Statuses statuses_;
  const RegistryStatuses registry_;
  std::atomic<bool> draining_{false};
};

}  // namespace rebound
