// One part of the cache: a fixed number of entries, kept by S3-FIFO.
//
// New entries enter a small queue (a tenth); only what is asked for twice again while there, or
// once soon after it left (a ghost: 32 bits of its key), enters the main queue. A flood of texts
// that come once, or twice in a row, passes through the small queue and never moves the main one,
// however long it lasts; LRU loses everything to it. W-TinyLFU keeps about as much (less through
// such floods and where what is hot changes, more where texts come twice, far apart, while nobody
// asks for the hot ones), but moves list nodes at every hit and needs counters that age.
// tests/bench/serve/cache_bench.cc measures the three.
//
// An entry has 40 bytes whatever its text: the key is a hash. Each call is O(1): the work of one
// eviction is bounded. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/classifier.h"
#include "serve/siphash.h"

namespace rebound {

// The hash of (task, bundle hash, normalised text); `model` tells the task and bundle roughly, for
// house-keeping: two models may share it.
struct CacheKey {
  SipHash hash;
  uint16_t model = 0;
};

// An entry as a snapshot holds it.
struct CacheEntry {
  CacheKey key;
  float probability = 0;
  uint8_t label = 0;
  uint8_t hits = 0;
  bool in_main = false;
};

class CacheShard {
 public:
  // What `entries` take at most: an entry, its bucket and its ghost.
  static constexpr size_t kBytesPerEntry = 40;
  static constexpr uint8_t kMostHits = 3;  // a mask too

  explicit CacheShard(size_t capacity) : capacity_(capacity) {}

  // Null where it is not there; valid until the next call. Counts as a use of the entry.
  struct Found {
    uint8_t label;
    float probability;
  };
  bool Find(const SipHash& hash, Found* found);
  // Adds or replaces.
  void Put(const CacheKey& key, uint8_t label, float probability);
  // Adds an entry of a snapshot. False where the shard is full; an entry that is there stays.
  bool Restore(const CacheEntry& entry);

  // Appends the entries in slots [from, from + count).
  void Copy(size_t from, size_t count, std::vector<CacheEntry>* entries) const;

  size_t size() const { return slots_.size(); }
  size_t bytes() const;
  uint64_t evictions() const { return evictions_; }
  uint64_t additions() const { return additions_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint8_t kHitsToStay = 2;  // in the small queue
  static constexpr size_t kMostSteps = 256;  // of one eviction
  static constexpr size_t kWays = 4;

  struct Slot {
    SipHash hash;
    float probability;
    uint32_t next_in_bucket;
    uint32_t next_in_queue;  // towards the newer
    uint16_t model;
    uint8_t label;
    uint8_t hits : 7;
    uint8_t in_main : 1;
  };
  static_assert(sizeof(Slot) + 2 * sizeof(uint32_t) == kBytesPerEntry);

  struct Queue {
    uint32_t oldest = kNone;
    uint32_t newest = kNone;
    size_t size = 0;
  };

  uint32_t* BucketOf(const SipHash& hash);
  uint32_t FindSlot(const SipHash& hash) const;
  // A slot for a new entry; REQUIRES: capacity_ > 0.
  uint32_t TakeSlot();
  void Grow();
  void Link(uint32_t slot);

  void Push(Queue* queue, uint32_t slot);
  uint32_t Pop(Queue* queue);
  uint32_t Evict();
  uint32_t EvictFromMain();
  void Unlink(uint32_t slot);

  std::array<uint32_t, kWays>& GhostsOf(const SipHash& hash);
  void Remember(const SipHash& hash);
  bool Forget(const SipHash& hash);  // true where it was a ghost

  const size_t capacity_;
  std::vector<Slot> slots_;        // [0, capacity_], each in one queue
  std::vector<uint32_t> buckets_;  // as many as slots_ has room for; heads of chains
  std::vector<std::array<uint32_t, kWays>> ghosts_;  // the newest first; empty before an eviction
  Queue small_;
  Queue main_;
  uint64_t evictions_ = 0;
  uint64_t additions_ = 0;
};

}  // namespace rebound
