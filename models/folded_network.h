// The forward pass of models/network.h over tables made once: by token id, the embedding's part of
// the first dense layer and the rows of the convolutions. No GEMM is left for a message.
//
// Immutable; Forward is Thread-safe with one Scratch a thread and allocates nothing once the
// scratch has grown to the longest message.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/bundle.h"
#include "models/vector_kernels.h"

namespace rebound {

// Floats on a 64-byte border, zero at first. Thread-compatible.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size);

  // At least `size` floats of any value. Allocates only beyond the largest size so far.
  float* Reserve(size_t size);
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

// A matrix in the order of its multiplication, without the zeros that merging members leaves in it.
// Immutable.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // `matrix`: [rows, columns]. REQUIRES: columns is a multiple of 4.
  PackedMatrix(const AlignedFloats& matrix, size_t rows, size_t columns);

  // out[c] += sum over k of x[k] * matrix[k, c]
  void AddProduct(const float* x, float* out) const;
  // The same where many of `x` are zero; `used` is of VectorKernels::rectify.
  void AddSparseProduct(const float* x, const uint64_t* used, float* out) const;

 private:
  size_t columns_ = 0;
  AlignedFloats values_;
  std::vector<RowRun> runs_;
};

class FoldedNetwork {
 public:
  struct Scratch {
    std::vector<size_t> rows;  // [n + widest convolution - 1] offsets into the table
    AlignedFloats features, dense, logits;
    std::vector<uint64_t> used;  // which features, or hidden numbers, are not zero
  };

  // Throws kCorrupt where a tensor is missing, unknown, of another shape than the sizes say or not
  // finite. The tensors are not needed afterwards.
  FoldedNetwork(const BundleConfig& config, const TensorMap& tensors);

  // [outputs] float32 in `scratch`, valid until the next call with it.
  // Throws kInvalidArgument for an id outside the vocabulary.
  std::span<const float> Forward(std::span<const int32_t> ids, Scratch* scratch) const;

 private:
  void Fold(const TensorMap& tensors);
  void Convolve(std::span<const size_t> rows, size_t tokens, float* features) const;

  std::vector<int> widths_;
  size_t vocabulary_, embedding_, filters_, hidden_, outputs_;
  // Columns are padded to whole vectors with zeros.
  size_t dense_columns_;   // of the first dense layer: hidden, or outputs where there is none
  size_t filter_columns_;  // of one offset of one convolution
  size_t output_columns_;
  size_t row_;  // floats by token: dense | conv2[0] conv2[1] | conv3[0] conv3[1] conv3[2]

  AlignedFloats table_;         // [vocabulary + 1, row]; the last row is the zeros behind the end
  AlignedFloats dense_bias_;    // [dense_columns]
  PackedMatrix conv_to_dense_;  // [widths * filter_columns, dense_columns]
  PackedMatrix output_;         // [hidden, output_columns]
  AlignedFloats output_bias_;   // [output_columns]
};

}  // namespace rebound
