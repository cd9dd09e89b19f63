#include "serve/delivery.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;

// One transaction of the store.
constexpr size_t kMostEntries = 200;
constexpr int64_t kMostProposals = 1000;

// To take them out of the spool costs a write to the disk each time.
constexpr size_t kMostUntaken = 32;

constexpr milliseconds kIdle(100);
// While nothing waits the file is asked so rarely whether another process put something there.
constexpr int kIdleLooks = 50;

}  // namespace

milliseconds Delivery::WaitAfter(int failures) {
  constexpr milliseconds kMost(5000);
  return std::min(kMost, milliseconds(100) * (1 << std::clamp(failures - 1, 0, 10)));
}

void Delivery::Run() {
  int failures = 0, idle = 0;
  for (;;) {
    Step step = Step::kHeldUp;
    try {
      if (++idle % kIdleLooks == 0) spool_->Look();
      step = spool_->waiting() > 0 ? DeliverSome() : Step::kIdle;
    } catch (const std::exception& e) {
      // Of the spool: the disk is full, or fails.
      if (failures == 0) {
        Log(LogLevel::kError, "the spool cannot be read", {{"cause", e.what()}});
      }
    }
    if (step == Step::kDelivered && failures > 0) {
      Log(LogLevel::kInfo, "the label store takes contributions again",
          {{"waiting", std::to_string(spool_->waiting())}});
    }
    failures = step == Step::kHeldUp ? failures + 1 : 0;
    const milliseconds wait = step == Step::kDelivered ? milliseconds(0)
                              : step == Step::kIdle    ? kIdle
                                                       : WaitAfter(failures);
    if (!thread_.Pause(wait)) return;
  }
}

Delivery::Step Delivery::DeliverSome() {
  const std::vector<SpoolEntry> entries = spool_->Read(kMostEntries, kMostProposals);
  if (entries.empty()) {
    spool_->Look();
    return Step::kIdle;
  }
  std::vector<SpoolEntry> delivered;
  Step step = Step::kHeldUp;
  const auto take = [&] {
    if (delivered.empty()) return;
    Take(delivered);
    delivered.clear();
    step = Step::kDelivered;
  };
  for (auto first = entries.begin(); first != entries.end();) {
    // An idempotency key stands for one request, so that one goes alone.
    const auto keyed = std::find_if(first, entries.end(), [](const SpoolEntry& entry) {
      return !entry.idempotency_key.empty();
    });
    const auto end = keyed == first ? first + 1 : keyed;
    const std::vector<SpoolEntry> together(first, end);
    if (const auto refusal = Deliver(together)) {
      take();
      if (refusal->passing) return step;
      const Step each = DeliverEach({first, entries.end()});
      return step == Step::kDelivered ? step : each;
    }
    delivered.insert(delivered.end(), together.begin(), together.end());
    if (delivered.size() >= kMostUntaken) take();
    first = end;
  }
  take();
  return step;
}

// Finds out which of them the store does not want. What is refused may be the store's state, so
// that only one that is refused while another one goes is set aside.
Delivery::Step Delivery::DeliverEach(const std::vector<SpoolEntry>& entries) {
  std::vector<const SpoolEntry*> refused;
  Step step = Step::kHeldUp;
  for (const SpoolEntry& entry : entries) {
    const auto refusal = Deliver({entry});
    if (!refusal) {
      Take({entry});
      step = Step::kDelivered;
      for (const SpoolEntry* other : refused) {
        const auto again = Deliver({*other});
        if (!again) {
          Take({*other});
        } else if (!again->passing) {
          Bury(*other, again->why);
        }
      }
      refused.clear();
    } else if (refusal->for_good) {
      Bury(entry, refusal->why);
      step = Step::kDelivered;
    } else if (refusal->passing) {
      break;
    } else {
      refused.push_back(&entry);
    }
  }
  if (step == Step::kHeldUp && !refused.empty()) {
    Log(LogLevel::kError, "the label store refuses what waits in the spool",
        {{"waiting", std::to_string(spool_->waiting())}});
  }
  return step;
}

std::optional<Delivery::Refusal> Delivery::Deliver(const std::vector<SpoolEntry>& entries) {
  std::vector<Proposal> proposals;
  try {
    for (const SpoolEntry& entry : entries) {
      for (Proposal& proposal : ReadPayload(entry)) proposals.push_back(std::move(proposal));
    }
  } catch (const Error& e) {
    return Refusal{.for_good = entries.size() == 1, .why = e.what()};
  }
  ProposeOptions options;
  options.acknowledged = true;
  if (entries.size() == 1) options.idempotency_key = entries.front().idempotency_key;
  try {
    const ProposeResult result =
        pool_->Take(StoreUse::kDeliver)->proposals().Propose(proposals, options);
    const bool is_there =
        result.kind == ProposeResult::Kind::kDone || result.kind == ProposeResult::Kind::kRepeated;
    if (is_there) return std::nullopt;
    return Refusal{.for_good = entries.size() == 1, .why = result.problem};
  } catch (const Error& e) {
    const ErrorCode code = e.code();
    Refusal refusal;
    refusal.why = e.what();
    refusal.for_good = entries.size() == 1 && code == ErrorCode::kConflict;
    // A schema that is missing is a matter of rebound-labels migrate.
    refusal.passing = code == ErrorCode::kUnavailable || code == ErrorCode::kNotFound ||
                      code == ErrorCode::kCancelled;
    return refusal;
  }
}

void Delivery::Take(const std::vector<SpoolEntry>& entries) {
  std::vector<int64_t> ids;
  int64_t proposals = 0;
  for (const SpoolEntry& entry : entries) {
    ids.push_back(entry.id);
    proposals += entry.proposals;
  }
  spool_->Remove(ids);
  counters_->Add(ProposalEvent::kDelivered, proposals);
}

void Delivery::Bury(const SpoolEntry& entry, const std::string& why) {
  Log(LogLevel::kError, "the label store refuses a contribution for good: it is set aside",
      {{"entry", std::to_string(entry.id)}, {"contributor", entry.contributor}, {"why", why}});
  spool_->Bury(entry.id, why);
  counters_->Add(ProposalEvent::kDead, entry.proposals);
}

}  // namespace rebound
