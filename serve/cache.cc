#include "serve/cache.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace rebound {
namespace {

constexpr size_t kMostShards = 64;
constexpr size_t kLeastShardBytes = 64 * 1024;

uint16_t ModelOfSecret(const SipSecret& secret) { return static_cast<uint16_t>(secret.high); }

struct Timer {
  uint64_t calls = 0;
  std::chrono::nanoseconds taken{0};
};

double AverageMs(const Timer& timer) {
  if (timer.calls == 0) return 0;
  return static_cast<double>(timer.taken.count()) / static_cast<double>(timer.calls) / 1e6;
}

}  // namespace

// Everything that a call writes lies behind the shard's own mutex, so counting and timing cost no
// shared line of memory. Aligned, so that two shards share none either.
struct alignas(64) Cache::Shard {
  explicit Shard(size_t capacity) : entries(capacity) {}
  mutable std::mutex mutex;
  CacheShard entries;
  uint64_t hits = 0;
  uint64_t misses = 0;
  Timer get;
  Timer put;
};

// Holds a shard; adds the time since it was asked for to a timer, where the cache is timed.
class Cache::Visit {
 public:
  Visit(bool timed, Shard* shard, Timer Shard::*timer)
      : start_(timed ? Clock::now() : Clock::time_point()),
        timer_(timed ? &(shard->*timer) : nullptr),
        lock_(shard->mutex) {}
  ~Visit() {
    if (timer_ == nullptr) return;
    timer_->taken += Clock::now() - start_;
    ++timer_->calls;
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_;
  Timer* const timer_;
  const std::lock_guard<std::mutex> lock_;
};

Cache::Cache(const CacheOptions& options) : options_(options) {
  for (const Task task : kTasks) {
    task_secrets_[Index(task)] = HashOf(options_.secret, TaskName(task));
  }
  const size_t max_bytes = options_.enabled ? options_.max_bytes : 0;
  const size_t shards =
      std::clamp(std::bit_floor(max_bytes / kLeastShardBytes), size_t{1}, kMostShards);
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(max_bytes / shards / CacheShard::kBytesPerEntry));
  }
}

Cache::~Cache() = default;

SipSecret Cache::ModelSecret(Task task, std::string_view bundle_hash) const {
  return HashOf(task_secrets_[Index(task)], bundle_hash);
}

CacheKey Cache::MakeKey(Task task, std::string_view bundle_hash,
                        std::string_view normalised) const {
  const SipSecret secret = ModelSecret(task, bundle_hash);
  return {HashOf(secret, normalised), ModelOfSecret(secret)};
}

uint16_t Cache::ModelOf(Task task, std::string_view bundle_hash) const {
  return ModelOfSecret(ModelSecret(task, bundle_hash));
}

Cache::Shard& Cache::ShardOf(const CacheKey& key) const {
  return *shards_[key.hash.low & (shards_.size() - 1)];
}

std::optional<Prediction> Cache::Get(const CacheKey& key) {
  if (!options_.enabled) return std::nullopt;
  Shard& shard = ShardOf(key);
  const Visit visit(options_.timed, &shard, &Shard::get);
  CacheShard::Found found;
  if (!shard.entries.Find(key.hash, &found)) {
    ++shard.misses;
    return std::nullopt;
  }
  ++shard.hits;
  return Prediction{found.label, found.probability};
}

void Cache::Put(const CacheKey& key, const Prediction& prediction) {
  if (!options_.enabled || prediction.label > UINT8_MAX) return;
  Shard& shard = ShardOf(key);
  const Visit visit(options_.timed, &shard, &Shard::put);
  shard.entries.Put(key, static_cast<uint8_t>(prediction.label), prediction.probability);
}

CacheStats Cache::Stats() const {
  CacheStats stats;
  Timer get;
  Timer put;
  const auto add = [](const Timer& timer, Timer* sum) {
    sum->calls += timer.calls;
    sum->taken += timer.taken;
  };
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    stats.hits += shard->hits;
    stats.misses += shard->misses;
    stats.evictions += shard->entries.evictions();
    stats.bytes += shard->entries.bytes();
    stats.elements += shard->entries.size();
    add(shard->get, &get);
    add(shard->put, &put);
  }
  stats.average_get_ms = AverageMs(get);
  stats.average_put_ms = AverageMs(put);
  return stats;
}

bool Cache::Copy(Walk* walk, std::vector<CacheEntry>* entries) const {
  constexpr size_t kAtOnce = 1024;  // less than thirty microseconds
  entries->clear();
  for (; walk->shard < shards_.size(); ++walk->shard, walk->slot = 0) {
    const Shard& shard = *shards_[walk->shard];
    const std::lock_guard lock(shard.mutex);
    shard.entries.Copy(walk->slot, kAtOnce, entries);
    walk->slot += entries->size();
    if (!entries->empty()) return true;
  }
  return false;
}

bool Cache::Restore(const CacheEntry& entry) {
  Shard& shard = ShardOf(entry.key);
  const std::lock_guard lock(shard.mutex);
  return shard.entries.Restore(entry);
}

uint64_t Cache::Additions() const {
  uint64_t additions = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    additions += shard->entries.additions();
  }
  return additions;
}

}  // namespace rebound
