// A map from numbers but 0 to numbers, in one block of memory: for the matcher, which asks it many
// times a text and clears it after each. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rebound {

template <class Key>
class FlatMap {
 public:
  // Null where the key is not there. The pointer holds until the next Insert.
  uint32_t* Find(Key key) { return Look(*this, key); }
  const uint32_t* Find(Key key) const { return Look(*this, key); }

  // What stands there already, or `value`, which does then.
  uint32_t& Insert(Key key, uint32_t value) {
    if (slots_.size() < 2 * (size_ + 1)) Grow();
    Slot& slot = slots_[Place(slots_, key)];
    if (slot.key == 0) {
      slot = {key, value};
      ++size_;
    }
    return slot.value;
  }

  // Keeps the memory, but for much of it.
  void Clear() {
    constexpr size_t kMostKept = 4096;
    if (size_ == 0) return;
    if (slots_.size() > kMostKept) {
      std::vector<Slot>().swap(slots_);
    } else {
      slots_.assign(slots_.size(), Slot{});
    }
    size_ = 0;
  }

  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    Key key = 0;
    uint32_t value = 0;
  };

  template <class Self>
  static auto Look(Self& self, Key key) -> decltype(&self.slots_[0].value) {
    if (self.size_ == 0) return nullptr;
    auto& slot = self.slots_[Place(self.slots_, key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  // Of the key, or the free one where it would stand.
  static size_t Place(const std::vector<Slot>& slots, Key key) {
    const size_t mask = slots.size() - 1;
    size_t at = (static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15 >> 32) & mask;
    while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) & mask;
    return at;
  }
  void Grow() {
    std::vector<Slot> larger(slots_.empty() ? 16 : slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.key != 0) larger[Place(larger, slot.key)] = slot;
    }
    slots_.swap(larger);
  }

  std::vector<Slot> slots_;  // a power of two; at most half of it used
  size_t size_ = 0;
};

}  // namespace rebound
