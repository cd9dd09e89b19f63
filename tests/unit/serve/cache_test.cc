#include "serve/cache.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace rebound {
namespace {

CacheOptions OfBytes(size_t max_bytes) {
  CacheOptions options;
  options.secret = {1, 2};
  options.max_bytes = max_bytes;
  return options;
}

// Every cache of these tests has the same secret.
CacheKey Key(uint64_t i) {
  static const Cache cache(OfBytes(0));
  return cache.MakeKey(Task::kBnac, "hash", "text " + std::to_string(i));
}

TEST(Cache, GivesBackWhatWasPut) {
  Cache cache(OfBytes(1 << 20));
  EXPECT_FALSE(cache.Get(Key(1)));
  cache.Put(Key(1), {7, 0.5F});
  const auto found = cache.Get(Key(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->label, 7u);
  EXPECT_EQ(found->probability, 0.5F);
  EXPECT_EQ(cache.Stats().hits, 1u);
  EXPECT_EQ(cache.Stats().misses, 1u);
}

TEST(Cache, KeepsTasksBundlesAndTextsApart) {
  Cache cache(OfBytes(1 << 20));
  const CacheKey keys[] = {
      cache.MakeKey(Task::kBnac, "aa", "text"), cache.MakeKey(Task::kBackoff, "aa", "text"),
      cache.MakeKey(Task::kBnac, "bb", "text"), cache.MakeKey(Task::kBnac, "aa", "other"),
      cache.MakeKey(Task::kBnac, "aat", "ext"), cache.MakeKey(Task::kBnac, "", "aatext"),
      cache.MakeKey(Task::kBnac, "aatext", ""),
  };
  for (size_t i = 0; i < std::size(keys); ++i) cache.Put(keys[i], {i, 0});
  for (size_t i = 0; i < std::size(keys); ++i) EXPECT_EQ(cache.Get(keys[i])->label, i);
}

TEST(Cache, OfAnotherSecretHasOtherKeys) {
  const Cache one(CacheOptions{});
  const Cache other(CacheOptions{});
  EXPECT_FALSE(one.secret() == other.secret()) << "each has a secret of its own";
  EXPECT_FALSE(one.MakeKey(Task::kBnac, "b", "text").hash ==
               other.MakeKey(Task::kBnac, "b", "text").hash);
}

TEST(Cache, APutAgainReplaces) {
  Cache cache(OfBytes(1 << 20));
  cache.Put(Key(1), {1, 0});
  cache.Put(Key(1), {2, 0});
  EXPECT_EQ(cache.Get(Key(1))->label, 2u);
  EXPECT_EQ(cache.Stats().elements, 1u);
}

TEST(Cache, NeverHoldsMoreBytesThanItMay) {
  for (const size_t most : {40, 1000, 64 * 1024, 1'000'000}) {
    Cache cache(OfBytes(most));
    const uint64_t puts = most / 10;
    for (uint64_t i = 0; i < puts; ++i) {
      cache.Put(Key(i), {0, 0});
      ASSERT_LE(cache.Stats().bytes, most);
    }
    const CacheStats stats = cache.Stats();
    EXPECT_GE(stats.bytes, most * 9 / 10) << "and uses what it may";
    EXPECT_GE(stats.elements * 40, stats.bytes);
    EXPECT_EQ(stats.elements + stats.evictions, puts);
    EXPECT_EQ(cache.Additions(), puts);
  }
}

TEST(Cache, TakesLittleMemoryForFewEntries) {
  Cache cache(OfBytes(100 << 20));
  EXPECT_EQ(cache.Stats().bytes, 0u);
  for (uint64_t i = 0; i < 1000; ++i) cache.Put(Key(i), {0, 0});
  EXPECT_LT(cache.Stats().bytes, 200'000u);
}

TEST(Cache, KeepsWhatIsInUse) {
  Cache cache(OfBytes(64 * 1024));
  cache.Put(Key(0), {42, 0});
  for (uint64_t i = 1; i < 20'000; ++i) {
    cache.Put(Key(i), {0, 0});
    ASSERT_TRUE(cache.Get(Key(0))) << "used all the time, after " << i;
  }
  EXPECT_FALSE(cache.Get(Key(1)));
}

TEST(Cache, OfNoSizeOrDisabledHoldsNothing) {
  Cache empty(OfBytes(0));
  empty.Put(Key(1), {1, 0});
  EXPECT_FALSE(empty.Get(Key(1)));
  CacheOptions options;
  options.enabled = false;
  Cache disabled(options);
  disabled.Put(Key(1), {1, 0});
  EXPECT_FALSE(disabled.Get(Key(1)));
  EXPECT_EQ(disabled.Stats().misses, 0u);
}

TEST(Cache, IsTimedWhereAsked) {
  CacheOptions options;
  options.timed = true;
  Cache timed(options);
  timed.Put(Key(1), {1, 0});
  timed.Get(Key(1));
  EXPECT_GT(timed.Stats().average_get_ms, 0);
  EXPECT_GT(timed.Stats().average_put_ms, 0);
  Cache untimed(CacheOptions{});
  untimed.Put(Key(1), {1, 0});
  EXPECT_EQ(untimed.Stats().average_put_ms, 0);
}

TEST(Cache, KeepsNoLabelThatItCannotGiveBack) {
  Cache cache(OfBytes(64 * 1024));
  cache.Put(Key(1), {256, 0});
  EXPECT_FALSE(cache.Get(Key(1)));
}

TEST(Cache, ManyThreadsGetWhatBelongsToTheKey) {
  Cache cache(OfBytes(4000));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (int i = 0; i < 5000; ++i) {
        const auto n = static_cast<uint64_t>(i * (t + 1) % 250);
        const auto found = cache.Get(Key(n));
        if (found) {
          ASSERT_EQ(found->label, n);
        }
        cache.Put(Key(n), {n, 0});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.Stats().bytes, 4000u);
}

}  // namespace
}  // namespace rebound
