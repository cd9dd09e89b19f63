// The three loops of a forward pass, for the registers of the machine at hand: 4 floats wide
// everywhere, 8 with AVX2. The sums are the same in the same order, so that answers are the same
// to the last bit on every x86-64. Pure, Thread-safe.
//
// `columns` is a multiple of 4; all pointers to floats are on a border of 16 bytes.
#pragma once

#include <cstddef>

namespace rebound {

// Columns are taken in blocks of this many while they fit, then of half as many and so on.
inline constexpr size_t kBlockColumns = 32;

// Calls body.operator()<C>(column) for every block of C columns.
template <size_t Largest, class Body>
void ForBlocks(size_t columns, Body body, size_t column = 0) {
  for (; column + Largest <= columns; column += Largest) body.template operator()<Largest>(column);
  if constexpr (Largest > 4) ForBlocks<Largest / 2>(columns, body, column);
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
};

const VectorKernels& NarrowKernels();
// NarrowKernels() where the machine has no AVX2.
const VectorKernels& FastestKernels();

}  // namespace rebound
