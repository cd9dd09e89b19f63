// All that a server with a label store has for contributions, in one place: the store's threads and
// connections, the spool beside it, the thread between them. Thread-safe.
#pragma once

#include <chrono>

#include "serve/delivery.h"
#include "serve/metrics_text.h"
#include "serve/snapshot_job.h"
#include "serve/spool.h"
#include "serve/store_pool.h"
#include "serve/submission.h"

namespace rebound {

struct ContributionOptions {
  StorePoolOptions store;
  SpoolOptions spool;
};

struct Contributions {
  // Delivery begins. The store need not be there. Throws as Spool does.
  explicit Contributions(const ContributionOptions& options)
      : spool(options.spool),
        pool(options.store),
        submitter(&spool, &pool, &counters),
        snapshots([this] { return pool.Take(StoreUse::kBulk)->labels().MakeSnapshot(); }),
        delivery(&spool, &pool, &counters) {
    delivery.Start();
  }

  // False as Delivery::Stop and SnapshotJob::Stop. No route of the store is answered any more.
  bool Stop() {
    pool.Stop();
    const bool is_delivered = delivery.Stop(std::chrono::seconds(3));
    return snapshots.Stop(std::chrono::seconds(1)) && is_delivered;
  }

  void WriteMetrics(MetricsText* text) const;

  Spool spool;
  StorePool pool;
  ProposalCounters counters;
  Submitter submitter;
  // The last: their threads use the others.
  SnapshotJob snapshots;
  Delivery delivery;
};

}  // namespace rebound
