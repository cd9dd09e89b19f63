#include "serve/cache_shard.h"

#include <algorithm>

namespace rebound {
namespace {

// What of a hash chooses what; the cache's choice of the shard takes the lowest bits of `low`.
uint64_t Scale(uint64_t bits32, size_t most) { return (bits32 * most) >> 32; }
uint64_t BucketBits(const SipHash& hash) { return hash.low >> 32; }
uint64_t GhostBits(const SipHash& hash) { return hash.high >> 32; }
uint32_t Fingerprint(const SipHash& hash) {
  return std::max(static_cast<uint32_t>(hash.high), 1U);  // 0: no ghost
}

}  // namespace

bool CacheShard::Find(const SipHash& hash, Found* found) {
  const uint32_t at = FindSlot(hash);
  if (at == kNone) return false;
  Slot& slot = slots_[at];
  if (slot.hits < kMostHits) ++slot.hits;
  *found = {slot.label, slot.probability};
  return true;
}

void CacheShard::Put(const CacheKey& key, uint8_t label, float probability) {
  if (capacity_ == 0) return;
  uint32_t at = FindSlot(key.hash);
  if (at != kNone) {
    slots_[at].label = label;
    slots_[at].probability = probability;
    return;
  }
  ++additions_;
  const bool was_here = Forget(key.hash);
  at = TakeSlot();
  slots_[at] = {key.hash, probability, kNone, kNone, key.model, label, 0, was_here};
  Link(at);
  Push(was_here ? &main_ : &small_, at);
}

bool CacheShard::Restore(const CacheEntry& entry) {
  if (slots_.size() == capacity_) return false;
  if (FindSlot(entry.key.hash) != kNone) return true;
  const uint32_t at = TakeSlot();
  slots_[at] = {entry.key.hash,  entry.probability, kNone, kNone,
                entry.key.model, entry.label,       0,     entry.in_main};
  slots_[at].hits = entry.hits & kMostHits;
  Link(at);
  Push(entry.in_main ? &main_ : &small_, at);
  return true;
}

void CacheShard::Copy(size_t from, size_t count, std::vector<CacheEntry>* entries) const {
  const size_t end = std::min(slots_.size(), from + count);
  for (size_t i = from; i < end; ++i) {
    const Slot& slot = slots_[i];
    entries->push_back({{slot.hash, slot.model},
                        slot.probability,
                        slot.label,
                        static_cast<uint8_t>(slot.hits),
                        slot.in_main != 0});
  }
}

size_t CacheShard::bytes() const {
  return slots_.capacity() * sizeof(Slot) + buckets_.size() * sizeof(uint32_t) +
         ghosts_.size() * sizeof(ghosts_[0]);
}

uint32_t* CacheShard::BucketOf(const SipHash& hash) {
  return &buckets_[Scale(BucketBits(hash), buckets_.size())];
}

uint32_t CacheShard::FindSlot(const SipHash& hash) const {
  if (buckets_.empty()) return kNone;
  uint32_t at = buckets_[Scale(BucketBits(hash), buckets_.size())];
  while (at != kNone && !(slots_[at].hash == hash)) at = slots_[at].next_in_bucket;
  return at;
}

uint32_t CacheShard::TakeSlot() {
  if (slots_.size() == capacity_) return Evict();
  if (slots_.size() == slots_.capacity()) Grow();
  slots_.emplace_back();
  return static_cast<uint32_t>(slots_.size() - 1);
}

// Buckets grow with the slots, so chains stay short.
void CacheShard::Grow() {
  constexpr size_t kFirst = 64;
  slots_.reserve(std::min(capacity_, std::max(kFirst, 2 * slots_.capacity())));
  buckets_.assign(slots_.capacity(), kNone);
  for (uint32_t at = 0; at < slots_.size(); ++at) Link(at);
}

void CacheShard::Link(uint32_t slot) {
  uint32_t* const bucket = BucketOf(slots_[slot].hash);
  slots_[slot].next_in_bucket = *bucket;
  *bucket = slot;
}

void CacheShard::Unlink(uint32_t slot) {
  uint32_t* at = BucketOf(slots_[slot].hash);
  while (*at != slot) at = &slots_[*at].next_in_bucket;
  *at = slots_[slot].next_in_bucket;
}

void CacheShard::Push(Queue* queue, uint32_t slot) {
  slots_[slot].next_in_queue = kNone;
  (queue->newest == kNone ? queue->oldest : slots_[queue->newest].next_in_queue) = slot;
  queue->newest = slot;
  ++queue->size;
}

uint32_t CacheShard::Pop(Queue* queue) {
  const uint32_t slot = queue->oldest;
  queue->oldest = slots_[slot].next_in_queue;
  if (queue->oldest == kNone) queue->newest = kNone;
  --queue->size;
  return slot;
}

// What was asked for again in the small queue moves to the main one, the rest goes.
uint32_t CacheShard::Evict() {
  ++evictions_;
  const size_t most_small = std::max<size_t>(capacity_ / 10, 1);
  for (size_t step = 0; step < kMostSteps && small_.size >= most_small; ++step) {
    const uint32_t slot = Pop(&small_);
    if (slots_[slot].hits < kHitsToStay) {
      Remember(slots_[slot].hash);
      Unlink(slot);
      return slot;
    }
    slots_[slot].hits = 0;
    slots_[slot].in_main = 1;
    Push(&main_, slot);
  }
  return EvictFromMain();
}

// Each hit since the last round is worth one more round.
uint32_t CacheShard::EvictFromMain() {
  for (size_t step = 0;; ++step) {
    const uint32_t slot = Pop(&main_);
    if (slots_[slot].hits == 0 || step == kMostSteps) {
      Unlink(slot);
      return slot;
    }
    --slots_[slot].hits;
    Push(&main_, slot);
  }
}

std::array<uint32_t, CacheShard::kWays>& CacheShard::GhostsOf(const SipHash& hash) {
  return ghosts_[Scale(GhostBits(hash), ghosts_.size())];
}

void CacheShard::Remember(const SipHash& hash) {
  if (ghosts_.empty()) ghosts_.resize(capacity_ / kWays);
  if (ghosts_.empty()) return;
  auto& ghosts = GhostsOf(hash);
  std::copy_backward(ghosts.begin(), ghosts.end() - 1, ghosts.end());
  ghosts.front() = Fingerprint(hash);
}

bool CacheShard::Forget(const SipHash& hash) {
  if (ghosts_.empty()) return false;
  auto& ghosts = GhostsOf(hash);
  const auto ghost = std::find(ghosts.begin(), ghosts.end(), Fingerprint(hash));
  if (ghost == ghosts.end()) return false;
  *ghost = 0;
  return true;
}

}  // namespace rebound
