// Texts for fuzzing: bounce-like fragments put together at random, then damaged. The same seed and
// number give the same text on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rebound {

// splitmix64. Thread-compatible.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
  }
  // 0 <= result < limit. REQUIRES: limit > 0.
  size_t Below(size_t limit) { return static_cast<size_t>(Next() % limit); }

 private:
  uint64_t state_;
};

// Fragments that the scanner has rules for, in several scripts, with joints between them.
std::string MakeText(Random* random);

// The text with some bytes replaced, removed, doubled or swapped; may be no UTF-8.
std::string Damage(std::string text, Random* random);

}  // namespace rebound
