// What training knows about the pieces of a tokenizer: which carry digits, and how a piece can be
// made of two smaller ones, so that words are learned from their parts too. Immutable.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tokenizer/encoder.h"

namespace rebound {

class PieceTable {
 public:
  explicit PieceTable(const Encoder& encoder);

  bool has_digit(int32_t id) const { return has_digit_[static_cast<size_t>(id)]; }
  // Every pair of pieces that `id` is the concatenation of; none for masks such as __host__.
  std::span<const std::pair<int32_t, int32_t>> splits(int32_t id) const {
    return splits_[static_cast<size_t>(id)];
  }

 private:
  std::vector<bool> has_digit_;
  std::vector<std::vector<std::pair<int32_t, int32_t>>> splits_;
};

}  // namespace rebound
