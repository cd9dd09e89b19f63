// Brings what waits in the spool to the label store, in order and once, on a thread of its own.
//
// An entry leaves the spool after the store has committed it; what died in between is delivered
// again and changes nothing, as its delivery ids are known. An entry that the store refuses for
// good is set aside and holds up nobody. Thread-compatible: Start and Stop by one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/service_thread.h"
#include "serve/spool.h"
#include "serve/store_pool.h"
#include "serve/submission.h"

namespace rebound {

class Delivery {
 public:
  // The pointers must outlive the object.
  Delivery(Spool* spool, StorePool* pool, ProposalCounters* counters)
      : spool_(spool), pool_(pool), counters_(counters) {}
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void Start() {
    thread_.Start([this] { Run(); });
  }
  // False where an entry is still on its way after `patience`: then the process may end as it is,
  // and the next one delivers it.
  bool Stop(std::chrono::milliseconds patience) { return thread_.Stop(patience); }

  enum class Step : uint8_t {
    kIdle,       // nothing waits
    kDelivered,  // some went to the store, or were set aside
    kHeldUp,     // the store takes nothing now
  };
  // The next few entries. Used by the thread alone once it was started.
  Step DeliverSome();

  // How long to wait after the `failures`th time in a row that nothing went: 100 ms, doubled up to
  // five seconds. Pure.
  static std::chrono::milliseconds WaitAfter(int failures);

 private:
  // How one call went: nullopt delivered; else why not.
  struct Refusal {
    bool for_good = false;  // the same call will be refused again, whatever the store's state
    bool passing = false;   // the store cannot be had: nothing else will go either
    std::string why;
  };
  std::optional<Refusal> Deliver(const std::vector<SpoolEntry>& entries);
  Step DeliverEach(const std::vector<SpoolEntry>& entries);
  void Take(const std::vector<SpoolEntry>& entries);
  void Bury(const SpoolEntry& entry, const std::string& why);
  void Run();

  Spool* const spool_;
  StorePool* const pool_;
  ProposalCounters* const counters_;
  ServiceThread thread_;  // the last: it uses the others; its end waits for what is on its way
};

}  // namespace rebound
