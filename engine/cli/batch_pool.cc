#include "engine/cli/batch_pool.h"

#include <utility>

namespace rebound {

BatchPool::BatchPool(size_t threads, Work work) : work_(std::move(work)) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Serve(i); });
}

BatchPool::~BatchPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BatchPool::Start(std::unique_ptr<Batch> batch) {
  auto job = std::make_shared<Job>();
  job->batch = std::move(batch);
  order_.push_back(job);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  more_.notify_one();
}

std::unique_ptr<Batch> BatchPool::Take() {
  const std::shared_ptr<Job> job = std::move(order_.front());
  order_.pop_front();
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return job->is_done; });
  }
  if (job->batch->error) std::rethrow_exception(job->batch->error);
  return std::move(job->batch);
}

void BatchPool::Serve(size_t thread) {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      work_(thread, job->batch.get());
    } catch (...) {
      job->batch->error = std::current_exception();
    }
    lock.lock();
    job->is_done = true;
    done_.notify_one();
  }
}

}  // namespace rebound
