// Which entries to keep, and what a look-up costs.
//
// The cache (S3-FIFO) against LRU and W-TinyLFU of the same number of entries, on traces of keys:
// Zipf as bounces are spread, Zipf through floods of texts that come once or twice, a hot set that
// is quiet while a flood passes, and a hot set that moves. Then the time of a hit, of a miss and of
// a snapshot.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <random>
#include <string>
#include <unordered_map>

#include "base/file.h"
#include "serve/cache.h"
#include "serve/cache_snapshot.h"

namespace rebound {
namespace {

constexpr size_t kEntries = 10'000;
using Trace = std::vector<uint64_t>;

// True where the key was there; adds it where not.
using Policy = std::function<bool(uint64_t)>;

class Lru {
 public:
  explicit Lru(size_t capacity) : capacity_(capacity) {}
  bool Has(uint64_t key) const { return index_.count(key) != 0; }
  size_t size() const { return order_.size(); }
  bool full() const { return size() >= capacity_; }
  uint64_t oldest() const { return order_.back(); }
  void Use(uint64_t key) { order_.splice(order_.begin(), order_, index_[key]); }
  void Add(uint64_t key) {
    order_.push_front(key);
    index_[key] = order_.begin();
  }
  void Remove(uint64_t key) {
    order_.erase(index_[key]);
    index_.erase(key);
  }

 private:
  const size_t capacity_;
  std::list<uint64_t> order_;
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> index_;
};

Policy MakeLru() {
  auto lru = std::make_shared<Lru>(kEntries);
  return [lru](uint64_t key) {
    if (lru->Has(key)) return lru->Use(key), true;
    if (lru->full()) lru->Remove(lru->oldest());
    lru->Add(key);
    return false;
  };
}

// Counts up to 15 in four rows; halves all after ten times as many uses as there are entries.
class CountMin {
 public:
  void Count(uint64_t key) {
    for (size_t row = 0; row < 4; ++row) {
      uint8_t& count = At(row, key);
      if (count < 15) ++count;
    }
    if (++uses_ < 10 * kEntries) return;
    uses_ = 0;
    for (auto& row : rows_) {
      for (uint8_t& count : row) count = static_cast<uint8_t>(count / 2);
    }
  }
  int Of(uint64_t key) {
    int least = 15;
    for (size_t row = 0; row < 4; ++row) least = std::min<int>(least, At(row, key));
    return least;
  }

 private:
  uint8_t& At(size_t row, uint64_t key) {
    const uint64_t mixed = (key + row * 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
    return rows_[row][(mixed ^ (mixed >> 29)) * 0x94D049BB133111EB >> 48];
  }
  std::vector<uint8_t> rows_[4] = {std::vector<uint8_t>(65536), std::vector<uint8_t>(65536),
                                   std::vector<uint8_t>(65536), std::vector<uint8_t>(65536)};
  size_t uses_ = 0;
};

// A window of 1 %, and a main part of which 80 % is protected.
struct TinyLfu {
  Lru window{kEntries / 100};
  Lru probation{kEntries};
  Lru guarded{kEntries * 79 / 100};
  CountMin counts;

  bool Use(uint64_t key) {
    counts.Count(key);
    if (window.Has(key)) return window.Use(key), true;
    if (guarded.Has(key)) return guarded.Use(key), true;
    if (probation.Has(key)) {
      probation.Remove(key);
      if (guarded.full()) {
        const uint64_t back = guarded.oldest();
        guarded.Remove(back);
        probation.Add(back);
      }
      guarded.Add(key);
      return true;
    }
    if (window.full()) Admit();
    window.Add(key);
    return false;
  }
  void Admit() {
    const uint64_t candidate = window.oldest();
    window.Remove(candidate);
    if (probation.size() + guarded.size() >= kEntries * 99 / 100) {
      const uint64_t victim = probation.size() > 0 ? probation.oldest() : guarded.oldest();
      if (counts.Of(candidate) <= counts.Of(victim)) return;
      (probation.Has(victim) ? probation : guarded).Remove(victim);
    }
    probation.Add(candidate);
  }
};

Policy MakeTinyLfu() {
  auto cache = std::make_shared<TinyLfu>();
  return [cache](uint64_t key) { return cache->Use(key); };
}

Policy MakeOurs() {
  CacheOptions options;
  options.max_bytes = kEntries * CacheShard::kBytesPerEntry;
  auto cache = std::make_shared<Cache>(options);
  return [cache](uint64_t key) {
    const CacheKey name = cache->MakeKey(Task::kBnac, "0123456789abcdef",
                                         {reinterpret_cast<const char*>(&key), sizeof key});
    if (cache->Get(name)) return true;
    cache->Put(name, {1, 0.5F});
    return false;
  };
}

class Zipf {
 public:
  Zipf(size_t keys, double exponent) {
    double sum = 0;
    for (size_t i = 1; i <= keys; ++i) {
      sum += std::pow(static_cast<double>(i), -exponent);
      cumulative_.push_back(sum);
    }
  }
  uint64_t operator()(std::mt19937_64* random) const {
    const double at = std::uniform_real_distribution<>(0, cumulative_.back())(*random);
    return static_cast<uint64_t>(std::lower_bound(cumulative_.begin(), cumulative_.end(), at) -
                                 cumulative_.begin());
  }

 private:
  std::vector<double> cumulative_;
};

constexpr uint64_t kUnique = uint64_t{1} << 40;  // keys from here on come once

// A flood in which each text comes `times` times, each time `gap` texts after the last.
struct Flood {
  uint64_t times = 1;
  uint64_t gap = 100;
  uint64_t operator[](uint64_t i) const { return kUnique + i / (gap * times) * gap + i % gap; }
};

// Every `share`-th key is of the distribution, the rest is the flood.
Trace Flooded(const Zipf& zipf, size_t length, size_t share, Flood flood) {
  std::mt19937_64 random(1);
  Trace trace;
  for (size_t i = 0; i < length; ++i) {
    trace.push_back(i % share == 0 ? zipf(&random) : flood[i - i / share - 1]);
  }
  return trace;
}

Trace Shifting(const Zipf& zipf, size_t length, size_t moves) {
  std::mt19937_64 random(1);
  Trace trace;
  for (size_t i = 0; i < length; ++i) {
    trace.push_back(zipf(&random) + i * moves / length * 1'000'000);
  }
  return trace;
}

// The share of hits among the keys that are no flood.
double HitRatio(const Policy& use, const Trace& trace) {
  size_t hits = 0;
  size_t uses = 0;
  for (const uint64_t key : trace) {
    const bool hit = use(key);
    if (key >= kUnique) continue;
    ++uses;
    hits += hit;
  }
  return static_cast<double>(hits) / static_cast<double>(std::max<size_t>(uses, 1));
}

// Half a cache of hot keys, asked for a few times, then silent while a flood passes.
double HotAfterFlood(const Policy& use, Flood flood, size_t length) {
  for (int round = 0; round < 8; ++round) {
    for (uint64_t key = 0; key < kEntries / 2; ++key) use(key);
  }
  for (uint64_t i = 0; i < length; ++i) use(flood[i]);
  size_t hits = 0;
  for (uint64_t key = 0; key < kEntries / 2; ++key) hits += use(key);
  return static_cast<double>(hits) / (kEntries / 2);
}

void CompareHitRatios() {
  const Zipf flat(200'000, 0.8);
  const Zipf steep(200'000, 1.0);
  struct Row {
    const char* name;
    std::function<double(const Policy&)> run;
  };
  const auto of = [](Trace trace) {
    return [trace = std::move(trace)](const Policy& use) { return HitRatio(use, trace); };
  };
  const auto silent = [](const char* name, Flood flood, size_t length) {
    return Row{name, [=](const Policy& use) { return HotAfterFlood(use, flood, length); }};
  };
  const Row rows[] = {
      {"Zipf 0.8", of(Flooded(flat, 2'000'000, 1, {}))},
      {"Zipf 1.0", of(Flooded(steep, 2'000'000, 1, {}))},
      {"Zipf 1.0, 9 of 10 come once", of(Flooded(steep, 5'000'000, 10, {}))},
      {"Zipf 1.0, 9 of 10 come twice, near", of(Flooded(steep, 5'000'000, 10, {2, 100}))},
      {"Zipf 1.0, 9 of 10 come twice, far", of(Flooded(steep, 5'000'000, 10, {2, 5000}))},
      {"Zipf 1.0, ranks move 20 times", of(Shifting(steep, 2'000'000, 20))},
      silent("hot, silent in 10 million uniques", {}, 10'000'000),
      silent("hot, silent in 200,000 pairs, near", {2, 100}, 400'000),
      silent("hot, silent in 200,000 pairs, far", {2, 5000}, 400'000),
  };
  std::printf("hit ratio, %zu entries %21s %10s %10s\n", kEntries, "LRU", "W-TinyLFU", "S3-FIFO");
  for (const Row& row : rows) {
    std::printf("%-36s %10.3f %10.3f %10.3f\n", row.name, row.run(MakeLru()),
                row.run(MakeTinyLfu()), row.run(MakeOurs()));
  }
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// Nanoseconds a call, over texts of the length that bounces have.
double TimeOf(const std::vector<std::string>& texts,
              const std::function<void(const std::string&)>& call) {
  std::vector<double> times;
  for (int round = 0; round < 15; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (const std::string& text : texts) call(text);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    times.push_back(taken.count() / static_cast<double>(texts.size()));
  }
  return Median(times);
}

void TimeLookUps() {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    texts.push_back(
        "smtp 451 4_7_1 __email__ recipient address rejected greylisting in effect "
        "please come back later see __url__ number " +
        std::to_string(i));
  }
  for (const bool timed : {false, true}) {
    CacheOptions options;
    options.timed = timed;
    Cache cache(options);
    const auto key = [&](const std::string& text) {
      return cache.MakeKey(Task::kBnac, "0123456789abcdef", text);
    };
    uint64_t found = 0;
    const double only_key = TimeOf(texts, [&](const std::string& t) { found += key(t).hash.low; });
    const double miss =
        TimeOf(texts, [&](const std::string& t) { found += cache.Get(key(t)).has_value(); });
    for (const std::string& text : texts) cache.Put(key(text), {3, 0.5F});
    const double hit = TimeOf(texts, [&](const std::string& t) {
      if (!cache.Get(key(t))) std::abort();
    });
    std::printf("%s: key of %zu bytes %.0f ns, with a miss %.0f ns, with a hit %.0f ns%s\n",
                timed ? "timed  " : "untimed", texts[0].size(), only_key, miss, hit,
                found == 0 ? "?" : "");
  }
}

void TimeSnapshot() {
  const TempFolder folder;
  const CacheOptions options;
  Cache cache(options);
  const auto key = [&](uint64_t i) {
    return cache.MakeKey(Task::kBnac, "b", {reinterpret_cast<const char*>(&i), sizeof i});
  };
  const auto ms = [](const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  };
  const uint64_t entries = options.max_bytes / CacheShard::kBytesPerEntry;
  const double fill = ms([&] {
    for (uint64_t i = 0; i < entries; ++i) cache.Put(key(i), {1, 0.5F});
  });
  const CacheStats stats = cache.Stats();
  std::printf("full: %zu entries in %zu bytes, %.0f ns a Put\n", stats.elements, stats.bytes,
              fill * 1e6 / static_cast<double>(entries));
  const CacheSnapshot snapshot{folder.path() / "snapshot", "bench"};
  const double write = ms([&] { WriteCacheSnapshot(snapshot, cache, {}); });
  Cache again(options);
  const double read = ms([&] { LoadCacheSnapshot(snapshot, &again); });
  if (again.Stats().elements != stats.elements) std::abort();
  std::printf("snapshot: %zu bytes, written in %.0f ms, loaded in %.0f ms\n",
              static_cast<size_t>(std::filesystem::file_size(snapshot.path)), write, read);
}

}  // namespace
}  // namespace rebound

int main() {
  rebound::CompareHitRatios();
  rebound::TimeLookUps();
  rebound::TimeSnapshot();
  return 0;
}
