// How much a caller may ask for in a time: token buckets, one a caller, in bounded memory.
//
// A bucket holds up to `burst` tokens and is refilled at a steady rate; a text costs one. How many
// texts a request has is known once it was read, so it takes one token to get in and owes the rest:
// who asks for much at once is served and then waits. Every call is O(1). Thread-safe: shards with
// a mutex each.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "serve/siphash.h"

namespace rebound {

// What one caller may do.
struct Rate {
  double per_second = 0;  // 0: as much as it likes
  double burst = 1;       // at least 1
  bool limited() const { return per_second > 0; }
  bool operator==(const Rate&) const = default;
};

// "100/s", "5000/m", "100000/h", with a burst of that many; "none": no limit. Throws
// kInvalidArgument.
Rate ParseRate(std::string_view text);
// A whole number of at least 1. Throws kInvalidArgument.
double ParseBurst(std::string_view text);

class RateTable {
 public:
  using Clock = std::chrono::steady_clock;

  // Has room for `callers`, in sets of a few; where a set is full, the caller whose bucket is full
  // soonest is forgotten for a new one.
  explicit RateTable(size_t callers);
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  // Takes a token: nullopt. None is there: how long until one is, and nothing is taken.
  std::optional<Clock::duration> Take(std::string_view caller, const Rate& rate,
                                      Clock::time_point now);
  // Takes `more` tokens that were used already, whether they are there or not.
  void Owe(std::string_view caller, const Rate& rate, size_t more, Clock::time_point now);

 private:
  static constexpr size_t kShards = 64;
  static constexpr size_t kWays = 8;  // slots that a caller may stand in
  struct Slot {
    SipHash caller;
    int64_t full_at = 0;  // when the bucket is full again, in nanoseconds of Clock; 0: free
  };
  struct Shard {
    std::mutex mutex;
    std::vector<Slot> slots;
  };

  // The caller's slot, or the one that it takes over. REQUIRES: the shard is locked.
  Slot& SlotOf(const SipHash& caller, Shard* shard) const;
  Shard& ShardOf(const SipHash& caller) { return shards_[caller.low % kShards]; }

  const SipSecret secret_;
  const size_t sets_;  // of a shard
  std::vector<Shard> shards_;
};

}  // namespace rebound
