// The label store as the server uses it: a few threads and as many connections, apart by what they
// are for, so that nobody's work waits behind another's and no classification waits for any.
//
// Every call into the store ends: connecting, a statement, a transaction and the wait for a repeat
// have time limits, and a server that went silent is hung up on. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "labelstore/label_store.h"
#include "labelstore/proposals.h"
#include "labelstore/reviews.h"
#include "labelstore/snapshots.h"
#include "serve/background.h"
#include "serve/router.h"

namespace rebound {

// What a connection is for.
enum class StoreUse : uint8_t { kSubmit, kBulk, kReview, kDeliver };
inline constexpr size_t kStoreUseCount = 4;

struct StorePoolOptions {
  std::string uri;
  // How long a single contribution may take before it goes to the spool; others get more.
  std::chrono::milliseconds submit_limit{3000};
};

// Connections of one user at a time, opened on first use and again after they broke.
// Thread-compatible.
class StoreSession {
 public:
  StoreSession(const StorePoolOptions& options, StoreUse use);

  // The limit counts from here.
  void Start();
  // Each throws as OpenLabelStore does.
  ProposalStore& proposals();
  ReviewDesk& desk();
  SnapshotCatalog& snapshots();
  LabelStore& labels();  // has limits of its own, of minutes

 private:
  PostgresOptions Limits();

  const std::string uri_;
  const StoreUse use_;
  const std::chrono::milliseconds limit_;
  std::chrono::steady_clock::time_point deadline_;
  std::unique_ptr<ProposalStore> proposals_;
  std::unique_ptr<ReviewDesk> desk_;
  std::unique_ptr<PostgresConnection> connection_;  // of snapshots_
  std::unique_ptr<SnapshotCatalog> snapshots_;
  std::unique_ptr<LabelStore> labels_;
};

class StorePool {
 public:
  explicit StorePool(StorePoolOptions options);
  ~StorePool() { Stop(); }
  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;

  // False where too much of this lane waits already. REQUIRES: not kAlone; `work` does not throw.
  bool Post(Lane lane, std::function<void()> work);
  // Whether work of this lane has waited too long to be begun. Contributions never have: they go to
  // the spool.
  bool IsLate(Lane lane, std::chrono::nanoseconds waited) const;
  // As Background::Stop.
  void Stop();

  // How long a caller may wait for what goes on without him, so that the door can answer in time.
  std::chrono::milliseconds patience() const { return options_.submit_limit * 3; }

  // A session, given back when the lease goes. As many are out at once as threads ask for them.
  class Lease {
   public:
    Lease(StorePool* pool, StoreUse use, std::unique_ptr<StoreSession> session)
        : pool_(pool), use_(use), session_(std::move(session)) {}
    ~Lease() { pool_->GiveBack(use_, std::move(session_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    StoreSession* operator->() { return session_.get(); }

   private:
    StorePool* const pool_;
    const StoreUse use_;
    std::unique_ptr<StoreSession> session_;
  };
  Lease Take(StoreUse use);

 private:
  void GiveBack(StoreUse use, std::unique_ptr<StoreSession> session);

  const StorePoolOptions options_;
  std::mutex mutex_;
  std::array<std::vector<std::unique_ptr<StoreSession>>, kStoreUseCount> idle_;
  // The last: their work uses the others.
  Background submit_;
  Background bulk_;
  Background review_;
};

}  // namespace rebound
