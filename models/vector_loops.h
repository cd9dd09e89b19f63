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

template <>
struct VectorOf<16> {
  using Type = float __attribute__((vector_size(64), aligned(16), may_alias));
};

// Bit i: the sign of lane i. Of what a comparison gives.
template <class Lanes>
uint64_t SignsOf(Lanes lanes) {
#ifdef __AVX2__
  if constexpr (sizeof lanes == 32) {
    using V = float __attribute__((vector_size(32)));
    return static_cast<uint64_t>(__builtin_ia32_movmskps256((V)lanes));
  }
#endif
#ifdef __SSE2__
  if constexpr (sizeof lanes == 16) {
    using V = float __attribute__((vector_size(16)));
    return static_cast<uint64_t>(__builtin_ia32_movmskps((V)lanes));
  }
#endif
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof lanes / sizeof(float); ++i) bits |= uint64_t{lanes[i] != 0} << i;
  return bits;
}

template <size_t Widest>
struct VectorLoops {
  // C columns in vectors; many accumulators hide the latency of an addition.
  template <size_t C>
  struct Block {
    static constexpr size_t kLanes = C < Widest ? C : Widest;
    static constexpr size_t kVectors = C / kLanes;
    // Of these a product takes as many at a time as leave registers for the factors.
    static constexpr size_t kParts = (kVectors + 11) / 12;
    static constexpr size_t kPart = kVectors / kParts;
    static_assert(C % kLanes == 0 && kVectors % kParts == 0);
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

    // One row's part of a product.
    static void AddRow(const float* row, float x, V* sum) {
      for (size_t b = 0; b < kPart; ++b) sum[b] += x * At(row)[b];
    }

    // Calls rows(the part's first column, its sums) for every part.
    template <class Rows>
    static void ForParts(float* out, Rows rows) {
      for (size_t part = 0; part < kParts; ++part) {
        const size_t column = part * kPart * kLanes;
        V sum[kPart];
        for (size_t b = 0; b < kPart; ++b) sum[b] = At(out + column)[b];
        rows(column, sum);
        for (size_t b = 0; b < kPart; ++b) At(out + column)[b] = sum[b];
      }
    }

    static void AddProduct(const float* values, const RowRun* runs, const float* x, float* out) {
      ForParts(out, [&](size_t column, V* sum) {
        const float* row = values + column;
        for (const RowRun* run = runs; run->rows > 0; ++run) {
          for (size_t k = run->first; k < run->first + run->rows; ++k, row += C) {
            AddRow(row, x[k], sum);
          }
        }
      });
    }

    static void AddSparseProduct(const float* values, const RowRun* runs, const uint64_t* used,
                                 const float* x, float* out) {
      ForParts(out, [&](size_t column, V* sum) {
        const float* row = values + column;
        for (const RowRun* run = runs; run->rows > 0; row += run->rows * C, ++run) {
          const size_t end = run->first + run->rows;
          for (size_t word = run->first / 64; word * 64 < end; ++word) {
            for (uint64_t bits = BitsBetween(used[word], word * 64, run->first, end); bits != 0;
                 bits &= bits - 1) {
              const size_t k = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
              AddRow(row + (k - run->first) * C, x[k], sum);
            }
          }
        }
      });
    }
  };

  // Those bits of a word, which begins at `at`, that stand for [first, end).
  static uint64_t BitsBetween(uint64_t bits, size_t at, size_t first, size_t end) {
    if (first > at) bits &= ~uint64_t{0} << (first - at);
    if (end < at + 64) bits &= (uint64_t{1} << (end - at)) - 1;
    return bits;
  }

  // Goes on to the next block.
  template <size_t C>
  static void Skip(const float** values, const RowRun** runs) {
    for (; (*runs)->rows > 0; ++*runs) *values += (*runs)->rows * C;
    ++*runs;
  }

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
      Block<C>::AddProduct(values, runs, x, out + column);
      Skip<C>(&values, &runs);
    });
  }

  static void AddSparseProduct(const float* values, const RowRun* runs, size_t columns,
                               const uint64_t* used, const float* x, float* out) {
    ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
      Block<C>::AddSparseProduct(values, runs, used, x, out + column);
      Skip<C>(&values, &runs);
    });
  }

  static void Rectify(float* x, size_t count, uint64_t* used) {
    for (size_t word = 0; word * 64 < count; ++word) used[word] = 0;
    ForBlocks<8>(count, [&]<size_t C>(size_t i) {
      using V = typename VectorOf < C<Widest ? C : Widest>::Type;
      for (size_t end = i + C; i < end; i += sizeof(V) / sizeof(float)) {
        V& values = *reinterpret_cast<V*>(x + i);
        values = values > 0 ? values : V{};
        used[i / 64] |= SignsOf(values > 0) << (i % 64);
      }
    });
  }

  static constexpr VectorKernels kKernels{SumRows, MaxWindows, AddProduct, AddSparseProduct,
                                          Rectify};
};

}  // namespace rebound
