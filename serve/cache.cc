#include "serve/cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>

namespace rebound {
namespace {

// What an entry takes beside its key: list node, index node, bucket, allocator headers.
constexpr size_t kEntryOverhead = 192;

size_t BytesOf(std::string_view key) { return key.size() + kEntryOverhead; }

}  // namespace

// Adds the time of a scope to a timer, where the cache is timed.
class Cache::Timed {
 public:
  Timed(bool on, Timer* timer) : timer_(on ? timer : nullptr) {
    if (timer_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  ~Timed() {
    if (timer_ == nullptr) return;
    const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - start_;
    timer_->nanoseconds += static_cast<uint64_t>(taken.count());
    ++timer_->calls;
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  Timer* timer_;
  std::chrono::steady_clock::time_point start_;
};

double Cache::Timer::AverageMs() const {
  const uint64_t count = calls;
  return count == 0 ? 0 : static_cast<double>(nanoseconds) / static_cast<double>(count) / 1e6;
}

size_t Cache::Hash::operator()(std::string_view key) const {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

Cache::Cache(const CacheOptions& options) : options_(options) {
  for (Shard& shard : shards_) {
    shard.index = decltype(shard.index)(0, Hash{options.seed});
  }
}

void Cache::MakeKey(Task task, std::string_view bundle_hash, std::string_view normalised,
                    std::string* key) {
  key->assign(TaskName(task));
  key->append("/").append(bundle_hash).append("/").append(normalised);
}

Cache::Shard& Cache::ShardOf(std::string_view key) {
  // The index uses the low bits, the choice of the shard the high ones.
  return shards_[(Hash{options_.seed}(key) >> 48) % kShards];
}

std::optional<Prediction> Cache::Get(std::string_view key) {
  if (!options_.enabled) return std::nullopt;
  const Timed timed(options_.timed, &get_timer_);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.index.find(key);
  if (it == shard.index.end()) {
    ++shard.misses;
    return std::nullopt;
  }
  ++shard.hits;
  shard.entries.splice(shard.entries.begin(), shard.entries, it->second);
  return it->second->prediction;
}

void Cache::Put(std::string_view key, const Prediction& prediction) {
  const size_t most = options_.max_bytes / kShards;
  if (!options_.enabled || BytesOf(key) > most) return;
  const Timed timed(options_.timed, &put_timer_);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  if (const auto it = shard.index.find(key); it != shard.index.end()) {
    it->second->prediction = prediction;
    shard.entries.splice(shard.entries.begin(), shard.entries, it->second);
    return;
  }
  while (shard.bytes + BytesOf(key) > most) {
    const Entry& oldest = shard.entries.back();
    shard.bytes -= BytesOf(oldest.key);
    shard.index.erase(oldest.key);
    shard.entries.pop_back();
    ++shard.evictions;
  }
  shard.entries.push_front({std::string(key), prediction});
  shard.index.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += BytesOf(key);
}

CacheStats Cache::Stats() const {
  CacheStats stats;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    stats.hits += shard.hits;
    stats.misses += shard.misses;
    stats.evictions += shard.evictions;
    stats.bytes += shard.bytes;
    stats.elements += shard.entries.size();
  }
  stats.average_get_ms = get_timer_.AverageMs();
  stats.average_put_ms = put_timer_.AverageMs();
  return stats;
}

}  // namespace rebound
