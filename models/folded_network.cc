#include "models/folded_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <string>

#include "base/error.h"
#include "models/network.h"
#include "models/vector_kernels.h"

namespace rebound {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLargestTable = size_t{2} << 30;  // bytes

size_t Padded(size_t columns, size_t multiple = 4) {
  return (columns + multiple - 1) / multiple * multiple;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

void CheckTensors(const BundleConfig& config, const TensorMap& tensors) {
  const auto fail = [](const std::string& what) {
    throw Error(ErrorCode::kCorrupt, "weights.safetensors: " + what);
  };
  const auto output = tensors.find(std::string(kOutputWeight));
  const auto outputs = static_cast<int64_t>(CountOutputs(config));
  if (output != tensors.end() && !output->second.shape.empty() &&
      output->second.shape.front() != outputs) {
    fail("the network has " + std::to_string(output->second.shape.front()) +
         " outputs, but config.json lists " + std::to_string(outputs));
  }
  const auto expected = NetworkTensors(config.network, config.sizes, outputs);
  for (const auto& [name, shape] : expected) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) fail("tensor '" + name + "' is missing");
    if (found->second.shape != shape) {
      fail("tensor '" + name + "' has the shape " + ShapeText(found->second.shape) + ", expected " +
           ShapeText(shape));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!expected.contains(name)) fail("a " + config.network + " has no tensor '" + name + "'");
    for (const float value : tensor.values) {
      if (!std::isfinite(value)) fail("tensor '" + name + "' holds a number that is not finite");
    }
  }
}

}  // namespace

void AlignedFloats::Free::operator()(float* data) const {
  ::operator delete[](data, std::align_val_t{kAlignment});
}

AlignedFloats::AlignedFloats(size_t size) {
  if (size > 0) std::memset(Reserve(size), 0, size * sizeof(float));
}

float* AlignedFloats::Reserve(size_t size) {
  if (size > size_) {
    data_.reset(
        static_cast<float*>(::operator new[](size * sizeof(float), std::align_val_t{kAlignment})));
    size_ = size;
  }
  return data_.get();
}

PackedMatrix::PackedMatrix(const AlignedFloats& matrix, size_t rows, size_t columns)
    : columns_(columns), values_(rows * columns) {
  float* out = values_.data();
  ForBlocks<kBlockColumns>(columns, [&]<size_t C>(size_t column) {
    bool in_run = false;
    for (size_t k = 0; k < rows; ++k) {
      const float* const row = matrix.data() + k * columns + column;
      const bool zeros = std::all_of(row, row + C, [](float value) { return value == 0; });
      if (!zeros) {
        if (!in_run) runs_.push_back({k, 0});
        ++runs_.back().rows;
        out = std::copy_n(row, C, out);
      }
      in_run = !zeros;
    }
    runs_.push_back({0, 0});
  });
}

void PackedMatrix::AddProduct(const float* x, float* out) const {
  FastestKernels().add_product(values_.data(), runs_.data(), columns_, x, out);
}

void PackedMatrix::AddSparseProduct(const float* x, const uint64_t* used, float* out) const {
  FastestKernels().add_sparse_product(values_.data(), runs_.data(), columns_, used, x, out);
}

FoldedNetwork::FoldedNetwork(const BundleConfig& config, const TensorMap& tensors)
    : widths_(ConvWidths(config.network)) {
  CheckTensors(config, tensors);
  const auto size = [&](std::string_view key) {
    const auto found = config.sizes.find(std::string(key));
    return found == config.sizes.end() ? size_t{0} : static_cast<size_t>(found->second);
  };
  vocabulary_ = size(kVocabularySize);
  embedding_ = size(kEmbeddingSize);
  filters_ = size(kFiltersSize);
  hidden_ = size(kHiddenSize);
  outputs_ = CountOutputs(config);
  // Behind a hidden layer few sums are left: in one block they hide each other's latency.
  output_columns_ = Padded(outputs_, hidden_ > 0 ? 16 : 4);
  dense_columns_ = hidden_ > 0 ? Padded(hidden_) : output_columns_;
  filter_columns_ = Padded(filters_);
  row_ = dense_columns_;
  for (const int width : widths_) row_ += static_cast<size_t>(width) * filter_columns_;
  if (row_ > kLargestTable / sizeof(float) / (vocabulary_ + 1)) {
    throw Error(ErrorCode::kCorrupt, "weights.safetensors: a vocabulary of " +
                                         std::to_string(vocabulary_) + " and rows of " +
                                         std::to_string(row_) +
                                         " numbers make tables of more than 2 GiB");
  }
  Fold(tensors);
}

void FoldedNetwork::Fold(const TensorMap& tensors) {
  const auto values = [&](std::string_view name) {
    return tensors.at(std::string(name)).values.data();
  };
  const size_t features = embedding_ + widths_.size() * filters_;
  const size_t dense = hidden_ > 0 ? hidden_ : outputs_;
  const float* const first = values(hidden_ > 0 ? kHiddenWeight : kOutputWeight);
  const float* const first_bias = values(hidden_ > 0 ? kHiddenBias : kOutputBias);

  // A row of the table = bias + sum over k of E[v][k] * by_embedding[k].
  AlignedFloats bias(row_);
  AlignedFloats by_embedding(embedding_ * row_);  // [embedding, row]
  dense_bias_ = AlignedFloats(dense_columns_);
  AlignedFloats conv_to_dense(widths_.size() * filter_columns_ * dense_columns_);
  for (size_t o = 0; o < dense; ++o) {
    dense_bias_.data()[o] = first_bias[o];
    const float* const weights = first + o * features;
    for (size_t k = 0; k < embedding_; ++k) by_embedding.data()[k * row_ + o] = weights[k];
    for (size_t w = 0; w < widths_.size(); ++w) {
      for (size_t f = 0; f < filters_; ++f) {
        conv_to_dense.data()[(w * filter_columns_ + f) * dense_columns_ + o] =
            weights[embedding_ + w * filters_ + f];
      }
    }
  }
  conv_to_dense_ = PackedMatrix(conv_to_dense, widths_.size() * filter_columns_, dense_columns_);
  size_t column = dense_columns_;
  for (const int conv_width : widths_) {
    const auto width = static_cast<size_t>(conv_width);
    const float* const weights = values(ConvWeight(conv_width));
    std::copy_n(values(ConvBias(conv_width)), filters_, bias.data() + column);
    for (size_t j = 0; j < width; ++j, column += filter_columns_) {
      for (size_t f = 0; f < filters_; ++f) {
        for (size_t k = 0; k < embedding_; ++k) {
          by_embedding.data()[k * row_ + column + f] = weights[(f * width + j) * embedding_ + k];
        }
      }
    }
  }

  const float* const embedding = values(kEmbeddingTensor);
  table_ = AlignedFloats((vocabulary_ + 1) * row_);
  ForBlocks<kBlockColumns>(row_, [&]<size_t C>(size_t start) {
    AlignedFloats block(embedding_ * C);
    for (size_t k = 0; k < embedding_; ++k) {
      std::copy_n(by_embedding.data() + k * row_ + start, C, block.data() + k * C);
    }
    const PackedMatrix packed(block, embedding_, C);
    for (size_t v = 0; v < vocabulary_; ++v) {
      float* const out = table_.data() + v * row_ + start;
      std::copy_n(bias.data() + start, C, out);
      packed.AddProduct(embedding + v * embedding_, out);
    }
  });

  if (hidden_ == 0) return;
  AlignedFloats output(hidden_ * output_columns_);
  output_bias_ = AlignedFloats(output_columns_);
  std::copy_n(values(kOutputBias), outputs_, output_bias_.data());
  for (size_t l = 0; l < outputs_; ++l) {
    for (size_t h = 0; h < hidden_; ++h) {
      output.data()[h * output_columns_ + l] = values(kOutputWeight)[l * hidden_ + h];
    }
  }
  output_ = PackedMatrix(output, hidden_, output_columns_);
}

void FoldedNetwork::Convolve(std::span<const size_t> rows, size_t tokens, float* features) const {
  const float* table = table_.data() + dense_columns_;
  for (const int conv_width : widths_) {
    const auto width = static_cast<size_t>(conv_width);
    FastestKernels().max_windows(table, filter_columns_, rows.data(), tokens, width,
                                 filter_columns_, features);
    table += width * filter_columns_;
    features += filter_columns_;
  }
}

std::span<const float> FoldedNetwork::Forward(std::span<const int32_t> ids,
                                              Scratch* scratch) const {
  const size_t behind = widths_.empty() ? 0 : static_cast<size_t>(widths_.back()) - 1;
  scratch->rows.resize(ids.size() + behind);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || static_cast<size_t>(ids[i]) >= vocabulary_) {
      throw Error(ErrorCode::kInvalidArgument, "token id " + std::to_string(ids[i]) +
                                                   " is outside the vocabulary of " +
                                                   std::to_string(vocabulary_));
    }
    scratch->rows[i] = static_cast<size_t>(ids[i]) * row_;
  }
  std::fill(scratch->rows.begin() + static_cast<ptrdiff_t>(ids.size()), scratch->rows.end(),
            vocabulary_ * row_);

  float* const dense = scratch->dense.Reserve(dense_columns_);
  FastestKernels().sum_rows(table_.data(), scratch->rows.data(), ids.size(), dense_columns_, dense);
  const float scale = 1.0F / std::sqrt(static_cast<float>(std::max<size_t>(ids.size(), 1)));
  for (size_t c = 0; c < dense_columns_; ++c) {
    dense[c] = dense[c] * scale + dense_bias_.data()[c];
  }
  const size_t columns = widths_.size() * filter_columns_;
  scratch->used.resize((std::max(columns, dense_columns_) + 63) / 64);
  if (!widths_.empty()) {
    float* const features = scratch->features.Reserve(columns);
    Convolve(scratch->rows, ids.size(), features);
    FastestKernels().rectify(features, columns, scratch->used.data());
    conv_to_dense_.AddSparseProduct(features, scratch->used.data(), dense);
  }
  if (hidden_ == 0) return {dense, outputs_};

  FastestKernels().rectify(dense, dense_columns_, scratch->used.data());
  float* const logits = scratch->logits.Reserve(output_columns_);
  std::copy_n(output_bias_.data(), output_columns_, logits);
  output_.AddSparseProduct(dense, scratch->used.data(), logits);
  return {logits, outputs_};
}

}  // namespace rebound
