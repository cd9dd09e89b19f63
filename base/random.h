// Numbers that look random and are the same on every machine, compiler and library: xoshiro256**
// seeded by splitmix64 (Blackman and Vigna, public domain). The distributions of <random> differ
// between libraries. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rebound {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  uint64_t Next() {
    const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  // 0 .. limit - 1. REQUIRES: 0 < limit < 2^32.
  size_t Below(size_t limit) { return static_cast<size_t>(((Next() >> 32) * limit) >> 32); }
  // least .. most.
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<size_t>(most - least + 1)));
  }
  bool Chance(int per_mille) { return static_cast<int>(Below(1000)) < per_mille; }

  template <class Values>
  const auto& Pick(const Values& values) {
    return values[Below(std::size(values))];
  }

 private:
  static uint64_t Rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  std::array<uint64_t, 4> state_;
};

}  // namespace rebound
