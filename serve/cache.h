// The models' outputs of texts seen before, bounded in bytes.
//
// A key is (task, bundle hash, normalised text), so a new bundle never answers with the old one's
// output; a value is the model's output alone: rules and overrides are applied anew on every
// request. A key is held as 128 bits of SipHash under a secret: entries are small, no text is kept
// (a normalised text may still name a person), and no client can make two texts collide or fill one
// shard. Which entries stay is told in cache_shard.h; every call is O(1). Thread-safe: shards with
// a mutex each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "models/classifier.h"
#include "models/task.h"
#include "serve/cache_shard.h"
#include "serve/siphash.h"

namespace rebound {

struct CacheOptions {
  bool enabled = true;
  size_t max_bytes = 100 * 1024 * 1024;
  bool timed = false;                 // measure Get and Put
  SipSecret secret = NewSipSecret();  // of the keys; a snapshot's entries need the snapshot's
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
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  bool enabled() const { return options_.enabled; }
  size_t max_bytes() const { return options_.max_bytes; }
  const SipSecret& secret() const { return options_.secret; }

  CacheKey MakeKey(Task task, std::string_view bundle_hash, std::string_view normalised) const;
  // The `model` of such keys.
  uint16_t ModelOf(Task task, std::string_view bundle_hash) const;

  // Get counts a hit or a miss. A disabled cache holds nothing and counts nothing.
  std::optional<Prediction> Get(const CacheKey& key);
  void Put(const CacheKey& key, const Prediction& prediction);

  CacheStats Stats() const;

  // For snapshots. A walk copies every entry that stays for its time, a few at a time, so that no
  // request waits for it.
  struct Walk {
    size_t shard = 0;
    size_t slot = 0;
  };
  // Replaces `*entries` by the next ones; false at the end.
  bool Copy(Walk* walk, std::vector<CacheEntry>* entries) const;
  // False where there is no room.
  bool Restore(const CacheEntry& entry);
  // Grows with every new entry.
  uint64_t Additions() const;

 private:
  struct Shard;
  class Visit;

  Shard& ShardOf(const CacheKey& key) const;
  SipSecret ModelSecret(Task task, std::string_view bundle_hash) const;

  const CacheOptions options_;
  std::array<SipSecret, kTaskCount> task_secrets_;
  std::vector<std::unique_ptr<Shard>> shards_;  // a power of two
};

}  // namespace rebound
