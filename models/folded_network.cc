#include "models/folded_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <string>

#include "base/error.h"
#include "models/network.h"

namespace rebound {
namespace {

// The register that every machine has (SSE, NEON). Accumulators of this type stay in registers;
// plain loops over memory are 3 times slower, and the comparison of wider vectors falls apart into
// single floats where the machine has no AVX.
using V4 = float __attribute__((vector_size(16), may_alias));
constexpr size_t kLanes = 4;

constexpr size_t kAlignment = 64;
constexpr size_t kLargestTable = size_t{2} << 30;  // bytes

size_t Padded(size_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

const V4* Vectors(const float* data) { return reinterpret_cast<const V4*>(data); }
V4* Vectors(float* data) { return reinterpret_cast<V4*>(data); }

// Calls body.operator()<B>(column) so that blocks of B vectors cover `columns`: of `Largest` while
// they fit, then of half as many and so on. Many accumulators hide the latency of an addition.
template <size_t Largest, class Body>
void ForBlocks(size_t columns, Body body, size_t column = 0) {
  for (; column + Largest * kLanes <= columns; column += Largest * kLanes) {
    body.template operator()<Largest>(column);
  }
  if constexpr (Largest > 1) ForBlocks<Largest / 2>(columns, body, column);
}

// out[c] = sum over i of table[rows[i] + c]
template <size_t B>
void SumRows(const float* table, std::span<const size_t> rows, float* out) {
  V4 sum[B] = {};
  for (const size_t row : rows) {
    const V4* const values = Vectors(table + row);
    for (size_t b = 0; b < B; ++b) sum[b] += values[b];
  }
  for (size_t b = 0; b < B; ++b) Vectors(out)[b] = sum[b];
}

// out[c] = max(0, max over i of sum over j of table[rows[i + j] + j * offset + c])
template <size_t B, size_t Width>
void MaxWindows(const float* table, size_t offset, const size_t* rows, size_t windows, float* out) {
  V4 best[B] = {};
  for (size_t i = 0; i < windows; ++i) {
    V4 sum[B];
    const V4* const first = Vectors(table + rows[i]);
    for (size_t b = 0; b < B; ++b) sum[b] = first[b];
    for (size_t j = 1; j < Width; ++j) {
      const V4* const values = Vectors(table + rows[i + j] + j * offset);
      for (size_t b = 0; b < B; ++b) sum[b] += values[b];
    }
    for (size_t b = 0; b < B; ++b) best[b] = sum[b] > best[b] ? sum[b] : best[b];
  }
  for (size_t b = 0; b < B; ++b) Vectors(out)[b] = best[b];
}

// out[c] += sum over k of x[k] * matrix[k * stride + c]
template <size_t B>
void AddProduct(const float* matrix, size_t stride, std::span<const float> x, float* out) {
  V4 sum[B];
  for (size_t b = 0; b < B; ++b) sum[b] = Vectors(out)[b];
  for (const float factor : x) {
    const V4* const values = Vectors(matrix);
    for (size_t b = 0; b < B; ++b) sum[b] += factor * values[b];
    matrix += stride;
  }
  for (size_t b = 0; b < B; ++b) Vectors(out)[b] = sum[b];
}

void AddProduct(const AlignedFloats& matrix, size_t columns, std::span<const float> x, float* out) {
  ForBlocks<8>(columns, [&]<size_t B>(size_t column) {
    AddProduct<B>(matrix.data() + column, columns, x, out + column);
  });
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
  output_columns_ = Padded(outputs_);
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
  conv_to_dense_ = AlignedFloats(widths_.size() * filter_columns_ * dense_columns_);
  for (size_t o = 0; o < dense; ++o) {
    dense_bias_.data()[o] = first_bias[o];
    const float* const weights = first + o * features;
    for (size_t k = 0; k < embedding_; ++k) by_embedding.data()[k * row_ + o] = weights[k];
    for (size_t w = 0; w < widths_.size(); ++w) {
      for (size_t f = 0; f < filters_; ++f) {
        conv_to_dense_.data()[(w * filter_columns_ + f) * dense_columns_ + o] =
            weights[embedding_ + w * filters_ + f];
      }
    }
  }
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
  ForBlocks<4>(row_, [&]<size_t B>(size_t start) {
    // A merged member's columns read its own part of the embedding alone; the rest is zeros.
    const auto zeros = [&](size_t k) {
      const float* const weights = by_embedding.data() + k * row_ + start;
      return std::all_of(weights, weights + B * kLanes, [](float weight) { return weight == 0; });
    };
    size_t first = 0;
    size_t last = embedding_;
    while (first < last && zeros(first)) ++first;
    while (last > first && zeros(last - 1)) --last;
    for (size_t v = 0; v < vocabulary_; ++v) {
      float* const out = table_.data() + v * row_ + start;
      std::copy_n(bias.data() + start, B * kLanes, out);
      AddProduct<B>(by_embedding.data() + first * row_ + start, row_,
                    {embedding + v * embedding_ + first, last - first}, out);
    }
  });

  if (hidden_ == 0) return;
  output_ = AlignedFloats(hidden_ * output_columns_);
  output_bias_ = AlignedFloats(output_columns_);
  std::copy_n(values(kOutputBias), outputs_, output_bias_.data());
  for (size_t l = 0; l < outputs_; ++l) {
    for (size_t h = 0; h < hidden_; ++h) {
      output_.data()[h * output_columns_ + l] = values(kOutputWeight)[l * hidden_ + h];
    }
  }
}

void FoldedNetwork::Convolve(std::span<const size_t> rows, size_t tokens, float* features) const {
  const float* table = table_.data() + dense_columns_;
  for (const int conv_width : widths_) {
    const auto width = static_cast<size_t>(conv_width);
    // Half of the registers hold the maxima, half the sums.
    ForBlocks<4>(filter_columns_, [&]<size_t B>(size_t column) {
      const auto pass = width == 2 ? MaxWindows<B, 2> : MaxWindows<B, 3>;
      pass(table + column, filter_columns_, rows.data(), tokens, features + column);
    });
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

  const std::span<const size_t> tokens(scratch->rows.data(), ids.size());
  float* const dense = scratch->dense.Reserve(dense_columns_);
  ForBlocks<8>(dense_columns_, [&]<size_t B>(size_t column) {
    SumRows<B>(table_.data() + column, tokens, dense + column);
  });
  const float scale = 1.0F / std::sqrt(static_cast<float>(std::max<size_t>(ids.size(), 1)));
  for (size_t c = 0; c < dense_columns_; ++c) {
    dense[c] = dense[c] * scale + dense_bias_.data()[c];
  }
  if (!widths_.empty()) {
    const size_t columns = widths_.size() * filter_columns_;
    float* const features = scratch->features.Reserve(columns);
    Convolve(scratch->rows, ids.size(), features);
    AddProduct(conv_to_dense_, dense_columns_, {features, columns}, dense);
  }
  if (hidden_ == 0) return {dense, outputs_};

  for (size_t c = 0; c < dense_columns_; ++c) dense[c] = std::max(dense[c], 0.0F);
  float* const logits = scratch->logits.Reserve(output_columns_);
  std::copy_n(output_bias_.data(), output_columns_, logits);
  AddProduct(output_, output_columns_, {dense, hidden_}, logits);
  return {logits, outputs_};
}

}  // namespace rebound
