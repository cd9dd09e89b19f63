#include "serve/cache.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace rebound {
namespace {

CacheOptions OfBytes(size_t max_bytes) {
  CacheOptions options;
  options.max_bytes = max_bytes;
  return options;
}

std::string Key(int i) {
  std::string key;
  Cache::MakeKey(Task::kBnac, "hash", "text " + std::to_string(i), &key);
  return key;
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

TEST(Cache, KeepsTasksAndBundlesApart) {
  std::vector<std::string> keys(4);
  Cache::MakeKey(Task::kBnac, "aa", "text", &keys[0]);
  Cache::MakeKey(Task::kBackoff, "aa", "text", &keys[1]);
  Cache::MakeKey(Task::kBnac, "bb", "text", &keys[2]);
  Cache::MakeKey(Task::kBnac, "aa", "other", &keys[3]);
  Cache cache(OfBytes(1 << 20));
  for (size_t i = 0; i < keys.size(); ++i) cache.Put(keys[i], {i, 0});
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(cache.Get(keys[i])->label, i);
}

TEST(Cache, APutAgainReplaces) {
  Cache cache(OfBytes(1 << 20));
  cache.Put(Key(1), {1, 0});
  cache.Put(Key(1), {2, 0});
  EXPECT_EQ(cache.Get(Key(1))->label, 2u);
  EXPECT_EQ(cache.Stats().elements, 1u);
}

TEST(Cache, NeverHoldsMoreBytesThanItMay) {
  constexpr size_t kMost = 64 * 1024;
  Cache cache(OfBytes(kMost));
  for (int i = 0; i < 5000; ++i) {
    cache.Put(Key(i), {0, 0});
    ASSERT_LE(cache.Stats().bytes, kMost);
  }
  const CacheStats stats = cache.Stats();
  EXPECT_GT(stats.bytes, kMost / 2) << "and uses what it may";
  EXPECT_EQ(stats.elements + stats.evictions, 5000u);
}

TEST(Cache, TheLeastRecentlyUsedGoesFirst) {
  Cache cache(OfBytes(64 * 1024));
  cache.Put(Key(0), {42, 0});
  for (int i = 1; i < 5000; ++i) {
    cache.Put(Key(i), {0, 0});
    ASSERT_TRUE(cache.Get(Key(0))) << "used all the time, after " << i;
  }
  EXPECT_FALSE(cache.Get(Key(1)));
}

TEST(Cache, DoesNotKeepWhatIsLargerThanAShard) {
  Cache cache(OfBytes(64 * 1024));
  cache.Put(std::string(8000, 'x'), {1, 0});
  EXPECT_EQ(cache.Stats().elements, 0u);
  cache.Put(Key(1), {1, 0});
  EXPECT_TRUE(cache.Get(Key(1)));
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

TEST(Cache, ManyThreadsGetWhatBelongsToTheKey) {
  Cache cache(OfBytes(100 * 1024));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (int i = 0; i < 5000; ++i) {
        const int n = (i * (t + 1)) % 700;
        const auto found = cache.Get(Key(n));
        if (found) {
          ASSERT_EQ(found->label, static_cast<size_t>(n));
        }
        cache.Put(Key(n), {static_cast<size_t>(n), 0});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.Stats().bytes, 100u * 1024);
}

}  // namespace
}  // namespace rebound
