// Cost of one message in the folded network, and of loading a bundle, at the sizes we ship:
// vocabulary 8,000, embedding 64, 64 filters, hidden 64, 24 labels. Each benchmark first holds its
// answer to the plain forward pass in double.
//
//   cmake --preset bench && ninja -C build/bench bench_models && build/bench/bin/bench_models
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "base/file.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "models/folded_network.h"
#include "models/network.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

constexpr int64_t kVocabulary = 8000;
constexpr int64_t kEmbedding = 64;
constexpr int64_t kFilters = 64;
constexpr size_t kLabels = 24;

struct Model {
  BundleConfig config;
  std::map<std::string, std::vector<float>> storage;
  TensorMap tensors;

  Model(std::string_view network, int64_t hidden) {
    config.network = network;
    config.labels.assign(kLabels, "any");
    config.sizes = {{"vocabulary", kVocabulary}, {"embedding", kEmbedding}, {"hidden", hidden}};
    if (network == kTableCnnNetwork) config.sizes["filters"] = kFilters;
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0F, 0.1F);
    for (const auto& [name, shape] : NetworkTensors(network, config.sizes, kLabels)) {
      size_t elements = 1;
      for (const int64_t dimension : shape) elements *= static_cast<size_t>(dimension);
      std::vector<float>& values = storage[name];
      for (size_t i = 0; i < elements; ++i) values.push_back(normal(random));
      tensors[name] = {shape, values};
    }
  }
};

// Messages of `tokens` ids, more of them than the caches hold rows for; low ids are frequent, as in
// a vocabulary sorted by score.
std::vector<std::vector<int32_t>> Messages(size_t tokens) {
  std::mt19937 random(2);
  std::exponential_distribution<double> falling(1.0 / 800.0);
  std::vector<std::vector<int32_t>> messages(256);
  for (auto& ids : messages) {
    while (ids.size() < tokens) {
      ids.push_back(std::min(static_cast<int32_t>(falling(random)), int32_t{kVocabulary - 1}));
    }
  }
  return messages;
}

bool AgreesWithReference(const Model& model, std::span<const float> logits,
                         std::span<const int32_t> ids) {
  const auto expected = test::ReferenceProbabilities(model.config, model.tensors, ids);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  for (size_t l = 0; l < kLabels; ++l) {
    if (std::abs(std::exp(static_cast<double>(logits[l])) / sum - expected[l]) > 1e-5) return false;
  }
  return true;
}

void Forward(benchmark::State& state, std::string_view kind) {
  const Model model(kind, state.range(1));
  const FoldedNetwork network(model.config, model.tensors);
  const auto messages = Messages(static_cast<size_t>(state.range(0)));
  FoldedNetwork::Scratch scratch;
  if (!AgreesWithReference(model, network.Forward(messages[0], &scratch), messages[0])) {
    state.SkipWithError("the answer is wrong");
    return;
  }
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(network.Forward(messages[i++ % messages.size()], &scratch).data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

void Fold(benchmark::State& state, std::string_view kind) {
  const Model model(kind, 64);
  for (auto _ : state) {
    const FoldedNetwork network(model.config, model.tensors);
    benchmark::DoNotOptimize(&network);
  }
}

// The whole of Classifier::Load on a small synthetic bundle: what is not folding.
void LoadBundle(benchmark::State& state) {
  const TempFolder folder;
  BundleStore store(folder.path());
  test::TestBundle bundle;
  bundle.network = kTableCnnNetwork;
  const int version = test::PublishTestBundle(&store, bundle);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Classifier::Load(store.BundleFolder(Task::kBnac, version)));
  }
}

BENCHMARK_CAPTURE(Forward, bag, kBagNetwork)->ArgsProduct({{10, 49, 2000}, {0, 64}});
BENCHMARK_CAPTURE(Forward, table_cnn, kTableCnnNetwork)->ArgsProduct({{10, 49, 2000}, {0, 64}});
BENCHMARK_CAPTURE(Fold, bag, kBagNetwork)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Fold, table_cnn, kTableCnnNetwork)->Unit(benchmark::kMillisecond);
BENCHMARK(LoadBundle)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rebound

BENCHMARK_MAIN();
