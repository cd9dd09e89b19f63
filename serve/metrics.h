// What the server counts of requests and answers, and the page that Prometheus reads.
//
// To count is a relaxed add to a cell of the thread's own shard: no lock, no allocation, no cache
// line that another worker writes. A page adds the shards up. What others count already (the cache,
// the door, the reloader) is asked for when a page is made. No text of a client is ever a label: a
// route is its pattern. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "serve/metrics_text.h"
#include "serve/router.h"

namespace rebound {

// Counters by number, sharded by thread. Lock-free.
class CounterTable {
 public:
  explicit CounterTable(size_t cells);

  void Add(size_t cell, uint64_t more = 1) {
    cells_[ShardOfThread() * stride_ + cell].fetch_add(more, std::memory_order_relaxed);
  }
  uint64_t Sum(size_t cell) const;

 private:
  static constexpr size_t kShards = 16;
  static size_t ShardOfThread();

  const size_t stride_;  // cells of a shard, whole cache lines
  std::unique_ptr<std::atomic<uint64_t>[]> cells_;
};

// Appends what it knows; called for every page, on the thread that asks for it.
using MetricSource = std::function<void(MetricsText*)>;

class Metrics {
 public:
  // Upper ends of the buckets of durations, in nanoseconds: 50 us to 10 s. One more bucket takes
  // what is longer.
  static std::span<const int64_t> Buckets();

  // Adds /metrics to `router`, which must hold all others already and outlive the object. No route
  // may be added later.
  explicit Metrics(Router* router);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `route` is the router's, null where there was none.
  void CountRequest(const Route* route, int status, std::chrono::nanoseconds taken);
  // An answer that the door gave by itself: of no route, and with no time of its own.
  void CountDoorAnswer(int status);
  // An answer of a task, whether its prediction came from the model or the cache.
  void CountAnswer(const ModelSet& models, Task task, const Prediction& prediction,
                   const TaskAnswer& answer);

  // `source` must be callable for as long as pages are made.
  void AddSource(MetricSource source);

  std::string Page() const;

 private:
  size_t RowOf(const Route* route) const;
  size_t CodeCell(size_t row, size_t column) const;
  size_t BucketCell(size_t row, size_t bucket) const;
  size_t SumCell(size_t row) const;
  void WriteRequests(MetricsText* text) const;
  void WriteDurations(MetricsText* text) const;
  void WriteAnswers(MetricsText* text) const;

  const Router& router_;
  std::vector<std::string_view> rows_;   // patterns, each once; first the row of no route
  std::vector<size_t> row_of_route_;     // by position in router_.routes()
  std::unique_ptr<CounterTable> table_;  // requests and durations by row
  CounterTable answers_;
  mutable std::mutex mutex_;
  std::vector<MetricSource> sources_;
};

// Counts an answer to a call; nothing where the call is not counted.
inline void CountAnswer(Metrics* metrics, const ModelSet& models, Task task,
                        const Prediction& prediction, const TaskAnswer& answer) {
  if (metrics != nullptr) metrics->CountAnswer(models, task, prediction, answer);
}

}  // namespace rebound
