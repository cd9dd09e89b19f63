// A trie over bytes in one array: a step down is one load and one comparison.
//
// Node `n` with base `b` has its child for byte `c` at `b ^ c`; the child carries `c` as its label.
// Bases are unique, so a matching label proves the edge. Immutable after Build, Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rebound {

class DoubleArray {
 public:
  struct Unit {
    uint32_t base_and_label;  // base << 9 | label; label 0x1ff marks a free unit
    int32_t value;            // -1 where no key ends here
  };

  // `keys` must be sorted by bytes, unique, not empty and free of NUL; values are >= 0.
  // Throws kTooLarge where the trie would need more than 2^23 units.
  void Build(const std::vector<std::pair<std::string_view, int32_t>>& keys);

  bool empty() const { return units_.empty(); }
  // For the walk: start at Root(), then Step while it is not null. REQUIRES: !empty().
  const Unit* Root() const { return units_.data(); }
  const Unit* Step(const Unit* node, unsigned char c) const {
    const Unit* child = units_.data() + ((node->base_and_label >> 9) ^ c);
    return (child->base_and_label & 0x1ff) == c ? child : nullptr;
  }

  // Length of the longest key that `text` starts with; 0 where there is none.
  size_t LongestPrefix(std::string_view text) const;

 private:
  struct Builder;
  std::vector<Unit> units_;  // a multiple of 256 long, so every base ^ byte lies inside
};

}  // namespace rebound
