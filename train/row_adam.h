// Adam for a big table of which a step touches few rows: only those rows cost time.
//
// Every row keeps its own step count, so a row that is touched in every step moves exactly as under
// dense Adam, and a rare row is not thrown by another row's bias correction. Deterministic.
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rebound {

struct AdamOptions {
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0.0F;  // decoupled (AdamW), on touched rows alone
};

class RowAdam {
 public:
  RowAdam(size_t rows, size_t width, AdamOptions options);

  // Moves `rows` (distinct) of `table` [rows, width] against `gradients` [rows.size(), width].
  void Update(std::span<const int32_t> rows, const float* gradients, float learning_rate,
              float* table);

 private:
  size_t width_;
  AdamOptions options_;
  std::vector<float> first_;    // [rows, width]
  std::vector<float> second_;   // [rows, width]
  std::vector<int32_t> steps_;  // [rows]
};

}  // namespace rebound
