#include "train/ensemble.h"

#include <gtest/gtest.h>

#include "models/bundle.h"
#include "models/folded_network.h"
#include "models/network.h"
#include "train/prng.h"

namespace rebound {
namespace {

constexpr int64_t kVocabulary = 13;
constexpr size_t kLabels = 3;

NetworkSpec Spec(std::string_view kind, int64_t hidden) {
  NetworkSpec spec;
  spec.kind = kind;
  spec.sizes = {{"vocabulary", kVocabulary}, {"embedding", 4}, {"hidden", hidden}};
  if (kind == kTableCnnNetwork) spec.sizes["filters"] = 5;
  spec.outputs = kLabels;
  return spec;
}

Weights RandomWeights(const NetworkSpec& spec, uint64_t seed) {
  Prng prng(seed);
  Weights weights;
  for (const auto& [name, shape] : NetworkTensors(spec.kind, spec.sizes, spec.outputs)) {
    int64_t count = 1;
    for (const int64_t dimension : shape) count *= dimension;
    for (int64_t i = 0; i < count; ++i) weights[name].push_back(2.0F * prng.Uniform() - 1.0F);
  }
  return weights;
}

std::vector<float> LogitsOf(const NetworkSpec& spec, const Weights& weights,
                            const std::vector<int32_t>& ids) {
  BundleConfig config;
  config.network = spec.kind;
  config.sizes = spec.sizes;
  config.labels.assign(kLabels, "label");
  TensorMap tensors;
  for (const auto& [name, shape] : NetworkTensors(spec.kind, spec.sizes, spec.outputs)) {
    tensors[name] = {shape, weights.at(name)};
  }
  const FoldedNetwork network(config, tensors);
  FoldedNetwork::Scratch scratch;
  const std::span<const float> logits = network.Forward(ids, &scratch);
  return {logits.begin(), logits.end()};
}

class EnsembleTest : public testing::TestWithParam<std::tuple<std::string_view, int64_t>> {};

TEST_P(EnsembleTest, TheMergedNetworkSaysTheMeanOfItsMembersLogits) {
  const auto [kind, hidden] = GetParam();
  const NetworkSpec spec = Spec(kind, hidden);
  const std::vector<Weights> members = {RandomWeights(spec, 1), RandomWeights(spec, 2),
                                        RandomWeights(spec, 3)};
  NetworkSpec merged = spec;
  merged.sizes = MergedSizes(spec.sizes, 3);
  const Weights weights = MergeMembers(spec, members);
  for (const std::vector<int32_t>& ids :
       {std::vector<int32_t>{}, {7}, {1, 2}, {12, 0, 5, 5, 9, 3, 1}}) {
    const std::vector<float> logits = LogitsOf(merged, weights, ids);
    for (size_t label = 0; label < kLabels; ++label) {
      float mean = 0.0F;
      for (const Weights& member : members) mean += LogitsOf(spec, member, ids)[label] / 3.0F;
      EXPECT_NEAR(logits[label], mean, 1e-5F) << kind << " " << hidden << " " << ids.size();
    }
  }
}

TEST_P(EnsembleTest, OneMemberStaysAsItIs) {
  const auto [kind, hidden] = GetParam();
  const NetworkSpec spec = Spec(kind, hidden);
  const Weights weights = RandomWeights(spec, 4);
  EXPECT_EQ(MergeMembers(spec, {weights}), weights);
  EXPECT_EQ(MergedSizes(spec.sizes, 1), spec.sizes);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EnsembleTest,
                         testing::Combine(testing::Values(kBagNetwork, kTableCnnNetwork),
                                          testing::Values(0, 6)));

TEST(EnsembleSizesTest, AllButTheVocabularyGrow) {
  const std::map<std::string, int64_t> sizes =
      MergedSizes({{"vocabulary", 100}, {"embedding", 8}, {"filters", 3}, {"hidden", 0}}, 4);
  EXPECT_EQ(sizes, (std::map<std::string, int64_t>{
                       {"vocabulary", 100}, {"embedding", 32}, {"filters", 12}, {"hidden", 0}}));
}

}  // namespace
}  // namespace rebound
