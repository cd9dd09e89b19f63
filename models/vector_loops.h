// What vector_kernels.cc and vector_kernels_avx2.cc compile, each for its own registers. Everything
// is a template over their width, and nothing of the standard library is called: the linker may
// never take code with AVX2 for the other's.
#pragma once

#include "models/vector_kernels.h"

namespace rebound {

// Accumulators of these types stay in registers; plain loops over memory are 3 times slower.
template <size_t Lanes>
struct VectorOf;
template <>
struct VectorOf<4> {
  using Type = float __attribute__((vector_size(16), may_alias));
};
template <>
struct VectorOf<8> {
  using Type = float __attribute__((vector_size(32), aligned(16), may_alias));
};

template <size_t Widest>
struct VectorLoops {
  // C columns in vectors; many accumulators hide the latency of an addition.
  template <size_t C>
  struct Block {
    static constexpr size_t kLanes = C < Widest ? C : Widest;
    static constexpr size_t kVectors = C / kLanes;
    using V = typename VectorOf<kLanes>::Type;

    static const V* At(const float* data) { return reinterpret_cast<const V*>(data); }
    static V* At(float* data) { return reinterpret_cast<V*>(data); }

    static void SumRows(const float* table, const size_t* rows, size_t count, float* out) {
      V sum[kVectors] = {};
      for (size_t i = 0; i < count; ++i) {
        const V* const values = At(table + rows[i]);
        for (size_t b = 0; b < kVectors; ++b) sum[b] += values[b];
      }
      for (size_t b = 0; b < kVectors; ++b) At(out)[b] = sum[b];
    }

    template <size_t Width>
    static void MaxWindows(const float* table, size_t offset, const size_t* rows, size_t windows,
                           float* out) {
      V best[kVectors] = {};
      for (size_t i = 0; i < windows; ++i) {
        V sum[kVectors];
        const V* const first = At(table + rows[i]);
        for (size_t b = 0; b < kVectors; ++b) sum[b] = first[b];
        for (size_t j = 1; j < Width; ++j) {
          const V* const values = At(table + rows[i + j] + j * offset);
          for (size_t b = 0; b < kVectors; ++b) sum[b] += values[b];
        }
        for (size_t b = 0; b < kVectors; ++b) best[b] = sum[b] > best[b] ? sum[b] : best[b];
      }
      for (size_t b = 0; b < kVectors; ++b) At(out)[b] = best[b];
    }

    static void AddProduct(const float** values, const RowRun** runs, const float* x, float* out) {
      V sum[kVectors];
      for (size_t b = 0; b < kVectors; ++b) sum[b] = At(out)[b];
      const float* row = *values;
      const RowRun* run = *runs;
      for (; run->rows > 0; ++run) {
        for (size_t k = run->first; k < run->first + run->rows; ++k, row += C) {
          for (size_t b = 0; b < kVectors; ++b) sum[b] += x[k] * At(row)[b];
        }
      }
      *values = row;
      *runs = run + 1;
      for (size_t b = 0; b < kVectors; ++b) At(out)[b] = sum[b];
    }
  };

  static void SumRows(const float* table, const size_t* rows, size_t count, size_t columns,
                      float* out) {
    ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
      Block<C>::SumRows(table + column, rows, count, out + column);
    });
  }

  static void MaxWindows(const float* table, size_t offset, const size_t* rows, size_t windows,
                         size_t width, size_t columns, float* out) {
    // Half of the registers hold the maxima, half the sums.
    ForBlocks<4 * Widest>(columns, [&]<size_t C>(size_t column) {
      if (width == 2) {
        Block<C>::template MaxWindows<2>(table + column, offset, rows, windows, out + column);
      } else {
        Block<C>::template MaxWindows<3>(table + column, offset, rows, windows, out + column);
      }
    });
  }

  static void AddProduct(const float* values, const RowRun* runs, size_t columns, const float* x,
                         float* out) {
    ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
      Block<C>::AddProduct(&values, &runs, x, out + column);
    });
  }

  static constexpr VectorKernels kKernels{SumRows, MaxWindows, AddProduct};
};

}  // namespace rebound
