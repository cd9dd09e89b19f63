// A bounded queue between many threads that must never wait and one that takes its time: who finds
// it full drops, who finds it empty comes again. No lock, so that a taker of the lowest priority
// that the system sets aside holds up nobody (Vyukov's bounded queue: each slot tells by a number
// whose turn it is). Slots are made once and keep the memory of what stood in them. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rebound {

template <class Item>
class DropQueue {
 public:
  // `capacity`: a power of two, two at least.
  explicit DropQueue(size_t capacity) : mask_(capacity - 1), slots_(new Slot[capacity]) {
    for (size_t i = 0; i < capacity; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
  }
  DropQueue(const DropQueue&) = delete;
  DropQueue& operator=(const DropQueue&) = delete;

  // `fill` writes over what stood in the slot. False where the queue is full: `fill` was not
  // called. REQUIRES: `fill` does not throw.
  template <class Fill>
  bool Push(const Fill& fill) {
    size_t at = end_.load(std::memory_order_relaxed);
    for (;;) {
      Slot& slot = slots_[at & mask_];
      const auto behind = static_cast<std::ptrdiff_t>(slot.turn.load(std::memory_order_acquire)) -
                          static_cast<std::ptrdiff_t>(at);
      if (behind < 0) return false;
      if (behind > 0) {
        at = end_.load(std::memory_order_relaxed);
      } else if (end_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
        fill(&slot.item);
        slot.turn.store(at + 1, std::memory_order_release);
        return true;
      }
    }
  }

  // `take` gets the oldest one. False where there is none. REQUIRES: one thread pops; `take` does
  // not throw.
  template <class Take>
  bool Pop(const Take& take) {
    const size_t at = begin_.load(std::memory_order_relaxed);
    Slot& slot = slots_[at & mask_];
    if (slot.turn.load(std::memory_order_acquire) != at + 1) return false;
    take(&slot.item);
    slot.turn.store(at + mask_ + 1, std::memory_order_release);
    begin_.store(at + 1, std::memory_order_relaxed);
    return true;
  }

 private:
  static constexpr size_t kCacheLine = 64;
  struct Slot {
    std::atomic<size_t> turn;
    Item item;
  };

  const size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  alignas(kCacheLine) std::atomic<size_t> end_{0};
  alignas(kCacheLine) std::atomic<size_t> begin_{0};
};

}  // namespace rebound
