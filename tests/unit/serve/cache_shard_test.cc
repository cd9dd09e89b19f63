// Which entries stay.
#include "serve/cache_shard.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

#include "tests/unit/serve/flood.h"

namespace rebound {
namespace {

// Spread as hashes are.
SipHash Hash(uint64_t i) { return HashOf({3, 4}, std::to_string(i)); }

void Put(CacheShard* shard, uint64_t i) { shard->Put({Hash(i), 7}, 1, 0.5F); }
bool Has(CacheShard* shard, uint64_t i) {
  CacheShard::Found found;
  return shard->Find(Hash(i), &found);
}
bool Use(CacheShard* shard, uint64_t i) {
  if (Has(shard, i)) return true;
  Put(shard, i);
  return false;
}

TEST(CacheShard, AFloodOfUniqueTextsLeavesTheHotOnes) {
  CacheOptions options;
  options.max_bytes = 2'000'000;  // 50,000 entries
  Cache cache(options);
  EXPECT_GE(test::HotLeftAfterFlood(&cache, 10'000, 300'000), 9'900u);
}

TEST(CacheShard, AFloodOfTextsThatComeTwiceInARowLeavesTheHotOnes) {
  CacheOptions options;
  options.max_bytes = 2'000'000;
  Cache cache(options);
  EXPECT_GE(test::HotLeftAfterFlood(&cache, 10'000, 150'000, 2), 9'900u);
}

TEST(CacheShard, WhatWasHotMakesRoomForWhatIsHot) {
  CacheShard shard(1000);
  for (int round = 0; round < 20; ++round) {
    for (uint64_t i = 0; i < 800; ++i) Use(&shard, i);
  }
  size_t hits = 0;
  for (int round = 0; round < 20; ++round) {
    hits = 0;
    for (uint64_t i = 0; i < 800; ++i) hits += Use(&shard, 10'000 + i);
  }
  EXPECT_GE(hits, 780u);
}

TEST(CacheShard, WhatComesBackSoonAfterItLeftStays) {
  CacheShard shard(1000);
  for (uint64_t i = 0; i < 1000; ++i) Put(&shard, i);
  Put(&shard, 1000);
  ASSERT_FALSE(Has(&shard, 0)) << "the oldest of the small queue";
  Put(&shard, 0);
  for (uint64_t i = 2000; i < 20'000; ++i) Put(&shard, i);
  EXPECT_TRUE(Has(&shard, 0));
  EXPECT_FALSE(Has(&shard, 1000));
}

TEST(CacheShard, HoldsItsCapacityAndCountsEvictions) {
  for (const size_t capacity : {0, 1, 2, 3, 10, 999}) {
    CacheShard shard(capacity);
    std::mt19937_64 random(capacity);
    for (int i = 0; i < 20'000; ++i) {
      Use(&shard, random() % 3000);
      ASSERT_LE(shard.size(), capacity);
    }
    EXPECT_EQ(shard.size(), capacity);
    EXPECT_EQ(shard.evictions(), shard.additions() - capacity);
    EXPECT_LE(shard.bytes(), capacity * CacheShard::kBytesPerEntry);
  }
}

TEST(CacheShard, GivesBackWhatWasPutLastWhateverWasEvicted) {
  CacheShard shard(500);
  std::unordered_map<uint64_t, uint8_t> last;
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const uint64_t key = random() % 1000;
    CacheShard::Found found;
    if (shard.Find(Hash(key), &found)) {
      ASSERT_EQ(found.label, last[key]);
      ASSERT_EQ(found.probability, static_cast<float>(key));
    }
    if (random() % 2 == 0) {
      last[key] = static_cast<uint8_t>(random());
      shard.Put({Hash(key), 7}, last[key], static_cast<float>(key));
    }
  }
}

TEST(CacheShard, OneEvictionIsBoundedThoughAllAreInUse) {
  constexpr uint64_t kCapacity = 100'000;
  CacheShard shard(kCapacity);
  for (int round = 0; round < 5; ++round) {
    for (uint64_t i = 0; i < kCapacity; ++i) Use(&shard, i);
  }
  Put(&shard, kCapacity);
  // Without a bound all entries' hits would be counted down before one goes.
  std::vector<CacheEntry> entries;
  shard.Copy(0, kCapacity, &entries);
  size_t touched = 0;
  for (const CacheEntry& entry : entries) touched += entry.hits < CacheShard::kMostHits;
  EXPECT_LE(touched, 1000u);
}

TEST(CacheShard, ARestoredEntryIsWhatItWas) {
  CacheShard shard(100);
  for (uint64_t i = 0; i < 1000; ++i) Use(&shard, i % 130);
  std::vector<CacheEntry> entries;
  shard.Copy(0, 100, &entries);
  ASSERT_EQ(entries.size(), 100u);
  CacheShard again(100);
  for (const CacheEntry& entry : entries) EXPECT_TRUE(again.Restore(entry));
  std::vector<CacheEntry> copies;
  again.Copy(0, 100, &copies);
  ASSERT_EQ(copies.size(), 100u);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(copies[i].key.hash, entries[i].key.hash);
    EXPECT_EQ(copies[i].key.model, entries[i].key.model);
    EXPECT_EQ(copies[i].label, entries[i].label);
    EXPECT_EQ(copies[i].probability, entries[i].probability);
    EXPECT_EQ(copies[i].hits, entries[i].hits);
    EXPECT_EQ(copies[i].in_main, entries[i].in_main);
  }
}

TEST(CacheShard, RestoresWhatFitsAndReplacesNothing) {
  CacheShard shard(2);
  shard.Put({Hash(1), 7}, 1, 0.5F);
  EXPECT_TRUE(shard.Restore({{Hash(1), 7}, 0.25F, 9, 0, true}));
  CacheShard::Found found;
  ASSERT_TRUE(shard.Find(Hash(1), &found));
  EXPECT_EQ(found.label, 1);
  EXPECT_TRUE(shard.Restore({{Hash(2), 7}, 0.25F, 9, 255, true}));
  EXPECT_FALSE(shard.Restore({{Hash(3), 7}, 0.25F, 9, 0, true}));
}

}  // namespace
}  // namespace rebound
