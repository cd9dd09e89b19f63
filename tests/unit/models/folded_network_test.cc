// The folded, vectorised forward pass against a plain one in double.
#include "models/folded_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "models/network.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

struct RandomModel {
  BundleConfig config;
  std::map<std::string, std::vector<float>> storage;
  TensorMap tensors;

  RandomModel(std::string_view network, int64_t vocabulary, int64_t embedding, int64_t filters,
              int64_t hidden, size_t labels, unsigned seed) {
    config.network = network;
    config.labels.assign(labels, "any");
    config.sizes = {{"vocabulary", vocabulary}, {"embedding", embedding}, {"hidden", hidden}};
    if (network == kTableCnnNetwork) config.sizes["filters"] = filters;
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0F, 0.3F);
    for (const auto& [name, shape] :
         NetworkTensors(network, config.sizes, static_cast<int64_t>(labels))) {
      size_t elements = 1;
      for (const int64_t dimension : shape) elements *= static_cast<size_t>(dimension);
      std::vector<float>& values = storage[name];
      for (size_t i = 0; i < elements; ++i) values.push_back(normal(random));
      tensors[name] = {shape, values};
    }
  }
};

std::vector<int32_t> RandomIds(size_t count, int64_t vocabulary, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int32_t> any(0, static_cast<int32_t>(vocabulary) - 1);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(any(random));
  return ids;
}

std::vector<double> Softmax(std::span<const float> logits) {
  double sum = 0;
  std::vector<double> probabilities;
  for (const float logit : logits) {
    probabilities.push_back(std::exp(static_cast<double>(logit - logits[0])));
    sum += probabilities.back();
  }
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

void ExpectEqualToReference(const RandomModel& model, FoldedNetwork::Scratch* scratch) {
  const FoldedNetwork network(model.config, model.tensors);
  const int64_t vocabulary = model.config.sizes.at("vocabulary");
  for (const size_t tokens : {0U, 1U, 2U, 3U, 4U, 5U, 31U, 49U, 2000U}) {
    for (unsigned seed = 0; seed < (tokens > 100 ? 1U : 4U); ++seed) {
      const std::vector<int32_t> ids = RandomIds(tokens, vocabulary, seed);
      const std::vector<double> got = Softmax(network.Forward(ids, scratch));
      const std::vector<double> expected =
          test::ReferenceProbabilities(model.config, model.tensors, ids);
      ASSERT_EQ(got.size(), expected.size());
      for (size_t l = 0; l < got.size(); ++l) {
        ASSERT_NEAR(got[l], expected[l], 1e-5)
            << model.config.network << ", " << tokens << " tokens, label " << l;
      }
    }
  }
}

TEST(FoldedNetwork, EqualsThePlainForwardPassForEveryShape) {
  FoldedNetwork::Scratch scratch;  // one for all shapes, as a thread has after reloads
  unsigned seed = 1;
  for (const std::string_view kind : {kBagNetwork, kTableCnnNetwork}) {
    for (const int64_t hidden : {0, 1, 13, 64}) {
      ExpectEqualToReference(RandomModel(kind, 300, 16, 24, hidden, 18, seed++), &scratch);
      ExpectEqualToReference(RandomModel(kind, 50, 5, 7, hidden, 24, seed++), &scratch);
      ExpectEqualToReference(RandomModel(kind, 1, 1, 1, hidden, 2, seed++), &scratch);
      ExpectEqualToReference(RandomModel(kind, 40, 33, 41, hidden, 1, seed++), &scratch);
    }
  }
}

TEST(FoldedNetwork, GivesTheSameBitsEachTime) {
  const RandomModel model(kTableCnnNetwork, 300, 16, 24, 32, 18, 3);
  const FoldedNetwork first(model.config, model.tensors);
  const FoldedNetwork second(model.config, model.tensors);
  FoldedNetwork::Scratch a;
  FoldedNetwork::Scratch b;
  second.Forward(RandomIds(500, 300, 9), &b);  // another past
  const std::vector<int32_t> ids = RandomIds(40, 300, 7);
  const auto from_a = first.Forward(ids, &a);
  const auto from_b = second.Forward(ids, &b);
  EXPECT_TRUE(std::equal(from_a.begin(), from_a.end(), from_b.begin(), from_b.end()));
}

TEST(FoldedNetwork, RefusesIdsOutsideTheVocabulary) {
  const RandomModel model(kTableCnnNetwork, 10, 4, 4, 0, 3, 1);
  const FoldedNetwork network(model.config, model.tensors);
  FoldedNetwork::Scratch scratch;
  for (const int32_t id :
       {-1, 10, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
    const std::vector<int32_t> ids = {1, id};
    try {
      network.Forward(ids, &scratch);
      FAIL() << id;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(error.what(),
                "token id " + std::to_string(id) + " is outside the vocabulary of 10");
    }
  }
}

std::string ErrorOf(const RandomModel& model) {
  try {
    const FoldedNetwork network(model.config, model.tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

TEST(FoldedNetwork, RefusesTensorsThatAreNotTheNetworks) {
  const RandomModel good(kTableCnnNetwork, 10, 4, 4, 6, 3, 1);
  RandomModel model = good;
  model.config.labels.emplace_back("one more");
  EXPECT_EQ(ErrorOf(model),
            "weights.safetensors: the network has 3 outputs, but config.json lists 4");
  model = good;
  model.tensors.erase("conv3.bias");
  EXPECT_EQ(ErrorOf(model), "weights.safetensors: tensor 'conv3.bias' is missing");
  model = good;
  model.tensors["extra"] = model.tensors["conv3.bias"];
  EXPECT_EQ(ErrorOf(model), "weights.safetensors: a table_cnn has no tensor 'extra'");
  model = good;
  model.tensors["conv2.weight"].shape = {4, 4, 2};
  EXPECT_EQ(ErrorOf(model),
            "weights.safetensors: tensor 'conv2.weight' has the shape [4, 4, 2], expected [4, 2, "
            "4]");
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(12, 1.0F);
    values[5] = bad;
    model = good;
    model.tensors["conv2.bias"].values = std::span(values).first(4);
    EXPECT_EQ(ErrorOf(model), "no error");
    model.tensors["conv2.bias"].values = std::span(values).subspan(4, 4);
    EXPECT_EQ(ErrorOf(model),
              "weights.safetensors: tensor 'conv2.bias' holds a number that is not finite");
  }
}

TEST(FoldedNetwork, RefusesTablesThatWouldFillTheMemory) {
  // 4 MB of weights whose tables would take more than 2 GiB.
  const RandomModel model(kTableCnnNetwork, 100000, 1, 20000, 0, 1, 1);
  EXPECT_EQ(ErrorOf(model),
            "weights.safetensors: a vocabulary of 100000 and rows of 100004 numbers make tables of "
            "more than 2 GiB");
}

}  // namespace
}  // namespace rebound
