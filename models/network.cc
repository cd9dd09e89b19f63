#include "models/network.h"

#include <set>

#include "base/error.h"
#include "models/bundle.h"

namespace rebound {
namespace {

constexpr int64_t kLargestSize = int64_t{1} << 24;

int64_t SizeOf(const std::map<std::string, int64_t>& sizes, std::string_view key, int64_t least) {
  const auto found = sizes.find(std::string(key));
  if (found == sizes.end()) {
    throw Error(ErrorCode::kCorrupt, "network: the size '" + std::string(key) + "' is missing");
  }
  if (found->second < least || found->second > kLargestSize) {
    throw Error(ErrorCode::kCorrupt,
                "network: the size '" + std::string(key) + "' is " + std::to_string(found->second) +
                    ", expected " + std::to_string(least) + " to " + std::to_string(kLargestSize));
  }
  return found->second;
}

}  // namespace

std::string ConvWeight(int width) { return "conv" + std::to_string(width) + ".weight"; }
std::string ConvBias(int width) { return "conv" + std::to_string(width) + ".bias"; }

std::vector<int> ConvWidths(std::string_view network) {
  if (network == kBagNetwork) return {};
  if (network == kTableCnnNetwork) return {2, 3};
  throw Error(ErrorCode::kCorrupt,
              "network: unknown kind '" + std::string(network) + "', expected bag or table_cnn");
}

std::map<std::string, std::vector<int64_t>> NetworkTensors(
    std::string_view network, const std::map<std::string, int64_t>& sizes, int64_t labels) {
  const std::vector<int> widths = ConvWidths(network);
  const int64_t vocabulary = SizeOf(sizes, kVocabularySize, 1);
  const int64_t embedding = SizeOf(sizes, kEmbeddingSize, 1);
  const int64_t hidden = SizeOf(sizes, kHiddenSize, 0);
  const int64_t filters = widths.empty() ? 0 : SizeOf(sizes, kFiltersSize, 1);
  const int64_t features = embedding + filters * static_cast<int64_t>(widths.size());
  std::set<std::string_view> known = {kVocabularySize, kEmbeddingSize, kHiddenSize};
  if (!widths.empty()) known.insert(kFiltersSize);
  for (const auto& [key, value] : sizes) {
    if (!known.contains(key)) {
      throw Error(ErrorCode::kCorrupt,
                  "network: a " + std::string(network) + " has no size '" + key + "'");
    }
  }

  std::map<std::string, std::vector<int64_t>> tensors;
  tensors[std::string(kEmbeddingTensor)] = {vocabulary, embedding};
  for (const int width : widths) {
    tensors[ConvWeight(width)] = {filters, width, embedding};
    tensors[ConvBias(width)] = {filters};
  }
  if (hidden > 0) {
    tensors[std::string(kHiddenWeight)] = {hidden, features};
    tensors[std::string(kHiddenBias)] = {hidden};
  }
  tensors[std::string(kOutputWeight)] = {labels, hidden > 0 ? hidden : features};
  tensors[std::string(kOutputBias)] = {labels};
  return tensors;
}

}  // namespace rebound
