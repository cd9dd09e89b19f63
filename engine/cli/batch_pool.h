// Texts in batches over the cores, answers in the order of the texts. Thread-compatible: one thread
// hands in and takes out.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/cli/text_source.h"

namespace rebound {

struct Batch {
  static constexpr size_t kMostItems = 256;
  static constexpr size_t kMostBytes = size_t{1} << 20;

  std::vector<SourceItem> items;  // those behind `count` are kept for their memory
  size_t count = 0;
  std::string rows;  // what is printed of them
  std::exception_ptr error;
};

class BatchPool {
 public:
  // `work` gets the number of its thread, which it has for itself, and fills rows and faults.
  using Work = std::function<void(size_t thread, Batch* batch)>;
  BatchPool(size_t threads, Work work);
  ~BatchPool();  // what was not begun is left
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  void Start(std::unique_ptr<Batch> batch);
  // The batch that was started first; waits until it is done. Throws what `work` threw. REQUIRES:
  // size() > 0.
  std::unique_ptr<Batch> Take();
  // Batches that were started and not taken.
  size_t size() const { return order_.size(); }
  bool IsFull() const { return order_.size() >= 3 * threads_.size(); }

 private:
  struct Job {
    std::unique_ptr<Batch> batch;
    bool is_done = false;
  };
  void Serve(size_t thread);

  const Work work_;
  std::deque<std::shared_ptr<Job>> order_;  // of the caller
  std::mutex mutex_;
  std::condition_variable more_, done_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rebound
