#include "models/vector_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include "models/folded_network.h"

namespace rebound {
namespace {

constexpr size_t kColumns[] = {4, 8, 12, 20, 32, 44, 48, 64, 96, 100, 128, 192};

class VectorKernelsTest : public testing::TestWithParam<const VectorKernels*> {
 protected:
  const VectorKernels& kernels_ = *GetParam();
  std::mt19937 random_{1};

  AlignedFloats Numbers(size_t size) {
    std::normal_distribution<float> normal;
    AlignedFloats numbers(size);
    for (size_t i = 0; i < size; ++i) numbers.data()[i] = normal(random_);
    return numbers;
  }
};

std::vector<float> Copy(const AlignedFloats& floats, size_t size) {
  return {floats.data(), floats.data() + size};
}

// Expected values are made in the same order: equal means to the last bit.
TEST_P(VectorKernelsTest, SumsRows) {
  for (const size_t columns : kColumns) {
    const AlignedFloats table = Numbers(10 * columns);
    AlignedFloats out = Numbers(columns);
    const std::vector<size_t> rows = {3 * columns, 0, 9 * columns, 3 * columns};
    std::vector<float> expected(columns);
    for (const size_t row : rows) {
      for (size_t c = 0; c < columns; ++c) expected[c] += table.data()[row + c];
    }
    kernels_.sum_rows(table.data(), rows.data(), rows.size(), columns, out.data());
    EXPECT_EQ(Copy(out, columns), expected) << columns;
  }
}

TEST_P(VectorKernelsTest, TakesTheLargestWindow) {
  for (const size_t columns : kColumns) {
    for (const size_t width : {2, 3}) {
      const AlignedFloats table = Numbers(10 * width * columns);
      AlignedFloats out = Numbers(columns);
      std::vector<size_t> rows = {3, 0, 9, 3, 5, 6, 8};
      for (size_t& row : rows) row *= width * columns;
      const size_t windows = rows.size() - (width - 1);
      std::vector<float> expected(columns);
      for (size_t i = 0; i < windows; ++i) {
        for (size_t c = 0; c < columns; ++c) {
          float sum = table.data()[rows[i] + c];
          for (size_t j = 1; j < width; ++j) sum += table.data()[rows[i + j] + j * columns + c];
          expected[c] = std::max(expected[c], sum);
        }
      }
      kernels_.max_windows(table.data(), columns, rows.data(), windows, width, columns, out.data());
      EXPECT_EQ(Copy(out, columns), expected) << columns;
    }
  }
}

TEST_P(VectorKernelsTest, MultipliesTheRowsThatAreThere) {
  for (const size_t columns : kColumns) {
    std::vector<RowRun> runs;
    std::vector<float> values;
    const AlignedFloats x = Numbers(20);
    AlignedFloats out = Numbers(columns);
    std::vector<float> expected = Copy(out, columns);
    ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
      for (const RowRun run : {RowRun{column % 3, 4}, RowRun{10, 7}, RowRun{0, 0}}) {
        runs.push_back(run);
        for (size_t k = run.first; k < run.first + run.rows; ++k) {
          for (size_t c = 0; c < C; ++c) {
            values.push_back(static_cast<float>(random_() % 1000));
            expected[column + c] += x.data()[k] * values.back();
          }
        }
      }
    });
    AlignedFloats aligned(values.size());
    std::copy(values.begin(), values.end(), aligned.data());
    kernels_.add_product(aligned.data(), runs.data(), columns, x.data(), out.data());
    EXPECT_EQ(Copy(out, columns), expected) << columns;
  }
}

// The same product, whichever of its factors are zero.
TEST_P(VectorKernelsTest, LeavesOutWhatIsMultipliedByZero) {
  constexpr size_t kRows = 200;
  for (const size_t columns : kColumns) {
    std::vector<RowRun> runs;
    ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
      for (const RowRun run : {RowRun{column % 3, 70}, RowRun{128, 64}, RowRun{199, 1}}) {
        runs.push_back(run);
      }
      runs.push_back({0, 0});
    });
    const AlignedFloats values = Numbers(kRows * columns);
    AlignedFloats x = Numbers(kRows);
    AlignedFloats out = Numbers(columns);
    AlignedFloats expected(columns);
    std::copy_n(out.data(), columns, expected.data());
    std::vector<uint64_t> used((kRows + 63) / 64, ~uint64_t{0});
    kernels_.rectify(x.data(), kRows, used.data());
    kernels_.add_product(values.data(), runs.data(), columns, x.data(), expected.data());
    kernels_.add_sparse_product(values.data(), runs.data(), columns, used.data(), x.data(),
                                out.data());
    EXPECT_EQ(Copy(out, columns), Copy(expected, columns)) << columns;
  }
}

TEST_P(VectorKernelsTest, RectifiesAndTellsWhatIsLeft) {
  constexpr size_t kCount = 132;
  AlignedFloats x = Numbers(kCount);
  x.data()[5] = 0.0F;
  std::vector<float> expected = Copy(x, kCount);
  std::vector<uint64_t> expected_used(3);
  for (size_t i = 0; i < kCount; ++i) {
    expected[i] = std::max(expected[i], 0.0F);
    expected_used[i / 64] |= uint64_t{expected[i] > 0} << (i % 64);
  }
  std::vector<uint64_t> used(3, 77);
  kernels_.rectify(x.data(), kCount, used.data());
  EXPECT_EQ(Copy(x, kCount), expected);
  EXPECT_EQ(used, expected_used);
}

INSTANTIATE_TEST_SUITE_P(Machine, VectorKernelsTest,
                         testing::ValuesIn(MachineKernels().begin(), MachineKernels().end()));

TEST(PackedMatrix, EqualsTheMatrixWithItsZeros) {
  constexpr size_t kRows = 24;
  constexpr size_t kWidth = 100;
  AlignedFloats matrix(kRows * kWidth);
  for (size_t k = 0; k < kRows; ++k) {
    for (size_t c = 0; c < kWidth; ++c) {
      const bool zero = (k / 8 + c / 48) % 2 == 0 || k == 9;
      matrix.data()[k * kWidth + c] = zero ? 0.0F : static_cast<float>(k * kWidth + c);
    }
  }
  AlignedFloats x(kRows);
  AlignedFloats out(kWidth);
  for (size_t k = 0; k < kRows; ++k) x.data()[k] = static_cast<float>(k) - 7.0F;
  PackedMatrix(matrix, kRows, kWidth).AddProduct(x.data(), out.data());
  for (size_t c = 0; c < kWidth; ++c) {
    float expected = 0;
    for (size_t k = 0; k < kRows; ++k) expected += x.data()[k] * matrix.data()[k * kWidth + c];
    EXPECT_EQ(out.data()[c], expected) << c;
  }
}

}  // namespace
}  // namespace rebound
