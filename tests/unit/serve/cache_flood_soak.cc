// Ten million texts that come once.
#include <gtest/gtest.h>

#include "tests/unit/serve/flood.h"

namespace rebound {
namespace {

TEST(CacheFlood, HotEntriesSurviveTenMillionUniqueTexts) {
  for (const size_t max_bytes : {2'000'000, 100'000'000}) {
    CacheOptions options;
    options.max_bytes = max_bytes;
    Cache cache(options);
    const size_t hot = max_bytes / 200;  // a fifth of the entries
    EXPECT_GE(test::HotLeftAfterFlood(&cache, hot, 10'000'000), hot * 99 / 100) << max_bytes;
    EXPECT_GT(cache.Stats().evictions, 5'000'000u);
    EXPECT_LE(cache.Stats().bytes, max_bytes);
  }
}

}  // namespace
}  // namespace rebound
