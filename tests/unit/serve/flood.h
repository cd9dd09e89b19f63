// Hot entries of a cache, and floods of texts that come once.
#pragma once

#include <cstdint>
#include <string>

#include "serve/cache.h"

namespace rebound::test {

inline CacheKey KeyOf(const Cache& cache, const std::string& text) {
  return cache.MakeKey(Task::kBnac, "0123456789abcdef", text);
}

// As a request does.
inline bool Ask(Cache* cache, const std::string& text) {
  const CacheKey key = KeyOf(*cache, text);
  if (cache->Get(key)) return true;
  cache->Put(key, {1, 0.5F});
  return false;
}

// How many of `hot` texts, asked for a few times each, are there after `flood` unique ones, each
// asked for `times` times in a row, during which nobody asked for a hot one.
inline size_t HotLeftAfterFlood(Cache* cache, size_t hot, uint64_t flood, int times = 1) {
  for (int round = 0; round < 4; ++round) {
    for (size_t i = 0; i < hot; ++i) Ask(cache, "hot " + std::to_string(i));
  }
  for (uint64_t i = 0; i < flood; ++i) {
    for (int time = 0; time < times; ++time) Ask(cache, "unique " + std::to_string(i));
  }
  size_t left = 0;
  for (size_t i = 0; i < hot; ++i) {
    left += cache->Get(KeyOf(*cache, "hot " + std::to_string(i))).has_value();
  }
  return left;
}

}  // namespace rebound::test
