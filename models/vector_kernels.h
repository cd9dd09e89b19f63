// The loops of a forward pass, for the registers of the machine at hand: 4 floats wide everywhere,
// 8 with AVX2, 16 with AVX-512. The sums are the same in the same order, so that answers are the
// same to the last bit on every x86-64. Pure, Thread-safe.
//
// `columns` is a multiple of 4; all pointers to floats are on a border of 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rebound {

// Columns are taken in blocks of this many while they fit, then of the next smaller size and so on:
// 96, 64, 48, 32, 16, 8, 4. As many as the registers hold sums of: each sum waits for its last
// addition, so many must be on their way.
inline constexpr size_t kBlockColumns = 96;
constexpr size_t SmallerBlock(size_t columns) {
  return columns == 96 ? 64 : columns == 64 ? 48 : columns == 48 ? 32 : columns / 2;
}

// Calls body.operator()<C>(column) for every block of C columns.
template <size_t Largest, class Body>
void ForBlocks(size_t columns, Body body, size_t column = 0) {
  for (; column + Largest <= columns; column += Largest) body.template operator()<Largest>(column);
  if constexpr (Largest > 4) ForBlocks<SmallerBlock(Largest)>(columns, body, column);
}

// Rows [first, first + rows) of a block that are not all zeros; the others are left out. The runs
// of a block end with one of no rows.
struct RowRun {
  size_t first;
  size_t rows;
};

struct VectorKernels {
  // out[c] = sum over i of table[rows[i] + c]
  void (*sum_rows)(const float* table, const size_t* rows, size_t count, size_t columns,
                   float* out);
  // out[c] = max(0, max over i of sum over j < width of table[rows[i + j] + j * offset + c])
  // REQUIRES: width is 2 or 3.
  void (*max_windows)(const float* table, size_t offset, const size_t* rows, size_t windows,
                      size_t width, size_t columns, float* out);
  // out[c] += sum over k of x[k] * matrix[k, c], the matrix as `runs` of rows and their `values`,
  // block by block.
  void (*add_product)(const float* values, const RowRun* runs, size_t columns, const float* x,
                      float* out);
  // The same where many of `x` are zero: `used` tells the others, bit k % 64 of word k / 64.
  void (*add_sparse_product)(const float* values, const RowRun* runs, size_t columns,
                             const uint64_t* used, const float* x, float* out);
  // x[i] = max(0, x[i]) for i < count, and which of them are not zero as `used` for the above:
  // (count + 63) / 64 words. REQUIRES: count is a multiple of 4.
  void (*rectify)(float* x, size_t count, uint64_t* used);
};

const VectorKernels& NarrowKernels();
// Those of this machine, the narrowest first.
std::span<const VectorKernels* const> MachineKernels();
// The last of them.
const VectorKernels& FastestKernels();

}  // namespace rebound
