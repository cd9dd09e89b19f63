// The models' outputs of texts seen before, bounded in bytes.
//
// A key is (task, bundle hash, normalised text), so a new bundle never answers with the old one's
// output; a value is the model's output alone: rules and overrides are applied anew on every
// request. The least recently used entries go first; every call is O(1). Thread-safe: shards with a
// mutex each.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "models/classifier.h"
#include "models/task.h"

namespace rebound {

struct CacheOptions {
  bool enabled = true;
  size_t max_bytes = 100 * 1024 * 1024;
  bool timed = false;  // measure Get and Put
  uint64_t seed = 0;   // of the hash: keep it secret where clients choose the texts
};

struct CacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  size_t bytes = 0;
  size_t elements = 0;
  double average_get_ms = 0;  // 0 where not timed
  double average_put_ms = 0;
};

class Cache {
 public:
  explicit Cache(const CacheOptions& options);
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  bool enabled() const { return options_.enabled; }

  // Replaces `*key` (its memory is reused).
  static void MakeKey(Task task, std::string_view bundle_hash, std::string_view normalised,
                      std::string* key);

  // Get counts a hit or a miss. A disabled cache holds nothing and counts nothing.
  std::optional<Prediction> Get(std::string_view key);
  // An entry that alone is larger than a shard is not kept.
  void Put(std::string_view key, const Prediction& prediction);

  CacheStats Stats() const;

 private:
  static constexpr size_t kShards = 16;
  struct Entry {
    std::string key;
    Prediction prediction;
  };
  struct Hash {
    uint64_t seed;
    size_t operator()(std::string_view key) const;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // the most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash>
        index;  // views into entries
    size_t bytes = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
  };
  struct Timer {
    std::atomic<uint64_t> calls{0};
    std::atomic<uint64_t> nanoseconds{0};
    double AverageMs() const;
  };
  class Timed;

  Shard& ShardOf(std::string_view key);

  const CacheOptions options_;
  std::array<Shard, kShards> shards_;
  Timer get_timer_;
  Timer put_timer_;
};

}  // namespace rebound
