#include "train/ensemble.h"

#include <algorithm>
#include <string_view>

#include "models/network.h"

namespace rebound {
namespace {

// One member's place in the tensors of all.
class Merger {
 public:
  Merger(const NetworkSpec& spec, size_t members)
      : shapes_(NetworkTensors(spec.kind, spec.sizes, spec.outputs)),
        members_(members),
        embedding_(Size(spec, kEmbeddingSize)),
        filters_(Size(spec, kFiltersSize)),
        hidden_(Size(spec, kHiddenSize)) {
    const auto merged = NetworkTensors(
        spec.kind, MergedSizes(spec.sizes, static_cast<int64_t>(members)), spec.outputs);
    for (const auto& [name, shape] : merged) out_[name].resize(Count(shape), 0.0F);
  }

  void Add(const Weights& weights, size_t member) {
    for (const auto& [name, shape] : shapes_) {
      const std::vector<float>& values = weights.at(name);
      const size_t rows = static_cast<size_t>(shape[0]);
      const size_t columns = values.size() / rows;
      const bool is_output = name == kOutputWeight || name == kOutputBias;
      // The rows of the embedding are tokens and those of the output layer outputs: shared by all.
      const bool shared_rows = is_output || name == kEmbeddingTensor;
      std::vector<float>& out = out_.at(name);
      const size_t out_columns = out.size() / (shared_rows ? rows : rows * members_);
      for (size_t row = 0; row < rows; ++row) {
        float* to = out.data() + (shared_rows ? row : member * rows + row) * out_columns;
        for (size_t column = 0; column < columns; ++column) {
          const float value = values[row * columns + column];
          to[Column(name, shape.size(), column, member)] +=
              is_output ? value / static_cast<float>(members_) : value;
        }
      }
    }
  }

  Weights Take() { return std::move(out_); }

 private:
  static size_t Size(const NetworkSpec& spec, std::string_view key) {
    const auto found = spec.sizes.find(std::string(key));
    return found == spec.sizes.end() ? 0 : static_cast<size_t>(found->second);
  }
  static size_t Count(const std::vector<int64_t>& shape) {
    size_t count = 1;
    for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
    return count;
  }

  // Where a member's column of a tensor stands in the merged one.
  size_t Column(const std::string& name, size_t dimensions, size_t column, size_t member) const {
    if (dimensions == 1) return 0;
    if (name == kEmbeddingTensor) return member * embedding_ + column;
    if (dimensions == 3) {  // [F, width, d]
      return column / embedding_ * members_ * embedding_ + member * embedding_ +
             column % embedding_;
    }
    if (name == kOutputWeight && hidden_ > 0) return member * hidden_ + column;
    // Features: pooled, then a block a convolution.
    if (column < embedding_) return member * embedding_ + column;
    const size_t block = (column - embedding_) / filters_;
    const size_t filter = (column - embedding_) % filters_;
    return members_ * (embedding_ + block * filters_) + member * filters_ + filter;
  }

  std::map<std::string, std::vector<int64_t>> shapes_;  // of one member
  size_t members_, embedding_, filters_, hidden_;
  Weights out_;
};

}  // namespace

std::map<std::string, int64_t> MergedSizes(std::map<std::string, int64_t> sizes, int64_t members) {
  for (auto& [key, size] : sizes) {
    if (key != kVocabularySize) size *= members;
  }
  return sizes;
}

Weights MergeMembers(const NetworkSpec& spec, const std::vector<Weights>& members) {
  Merger merger(spec, members.size());
  for (size_t member = 0; member < members.size(); ++member) merger.Add(members[member], member);
  return merger.Take();
}

}  // namespace rebound
