// The way of a contribution: into the label store, or where that cannot be had now into the spool.
//
// What Submit says is kept is kept: in the store, or on this machine's disk until the store has it,
// once. While older ones wait in the spool newer ones queue behind them, so that what one
// contributor sends keeps its order. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelstore/proposals.h"
#include "serve/metrics_text.h"
#include "serve/spool.h"
#include "serve/store_pool.h"

namespace rebound {

// What became of contributions, for rebound_proposals_total.
enum class ProposalEvent : uint8_t {
  kInserted,
  kDuplicate,
  kRelabelled,
  kSpooled,
  kDelivered,  // from the spool into the store
  kDead,       // from the spool into its dead letters
  kRefused,    // the spool was full or failed
  kOverLimit,
};
inline constexpr size_t kProposalEventCount = 8;
// Counts proposals. Thread-safe.
class ProposalCounters {
 public:
  void Add(ProposalEvent event, int64_t count = 1) { counts_[static_cast<size_t>(event)] += count; }
  void WriteMetrics(MetricsText* text) const;

 private:
  std::array<std::atomic<int64_t>, kProposalEventCount> counts_{};
};

// What the spool holds of a request, and back. Labels stand by name.
std::string WritePayload(const std::vector<Proposal>& proposals);
// Throws kInvalidArgument or kCorrupt where it is none.
std::vector<Proposal> ReadPayload(const SpoolEntry& entry);

// As they may be written to disk and sent: texts and comments masked, each with a new delivery id.
void MakeReady(std::vector<Proposal>* proposals);

struct Submitted {
  enum class Kind : uint8_t {
    kStored,
    kRepeated,   // the answer that this idempotency key got before
    kSpooled,    // on disk; `items` is empty
    kKeyReused,  // nothing was kept, as with those below
    kOverLimit,
    kFull,  // neither the store nor the spool can take it now
  };
  Kind kind = Kind::kStored;
  std::vector<Proposed> items;
  std::string problem;
};

class Submitter {
 public:
  // The pointers must outlive the object.
  Submitter(Spool* spool, StorePool* pool, ProposalCounters* counters)
      : spool_(spool), pool_(pool), counters_(counters) {}

  // REQUIRES: MakeReady, of one contributor, FaultOf finds nothing. Call on a thread of the pool.
  Submitted Submit(const std::vector<Proposal>& proposals, const std::string& idempotency_key,
                   StoreUse use);

 private:
  Submitted Keep(const std::vector<Proposal>& proposals, const std::string& idempotency_key);
  void Count(const std::vector<Proposed>& items);

  Spool* const spool_;
  StorePool* const pool_;
  ProposalCounters* const counters_;
};

}  // namespace rebound
