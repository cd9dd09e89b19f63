#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/error.h"
#include "models/bundle.h"
#include "train/data_set.h"
#include "train/network.h"

namespace rebound {
namespace {

NetworkSpec Spec(std::string_view kind, int64_t hidden = 5) {
  NetworkSpec spec;
  spec.kind = kind;
  spec.sizes = {{"vocabulary", 11}, {"embedding", 8}, {"hidden", hidden}};
  if (kind == kTableCnnNetwork) spec.sizes["filters"] = 4;
  spec.outputs = 3;
  spec.seed = 5;
  return spec;
}

// Texts of 0, 1, 2, 3 and 7 tokens: shorter and longer than every window.
Batch Texts() {
  Batch batch;
  batch.tokens = {4, 5, 4, 1, 2, 3, 10, 9, 8, 1, 1, 4, 0};
  batch.offsets = {0, 0, 1, 3, 6, 13};
  batch.labels = {0, 1, 2, 0, 1};
  batch.weights = {1.0F, 0.5F, 2.0F, 1.0F, 1.0F};
  return batch;
}

void ExpectNear(const Weights& a, const Weights& b, float tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, values] : a) {
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], b.at(name)[i], tolerance) << name << " at " << i;
    }
  }
}

class TorchNetworkTest : public testing::TestWithParam<std::string_view> {};

TEST_P(TorchNetworkTest, OurLoopsLearnWhatStockOperationsLearn) {
  NetworkSpec stock_spec = Spec(GetParam());
  stock_spec.stock_operations = true;
  const auto ours = MakeTorchNetwork(Spec(GetParam()));
  const auto stock = MakeTorchNetwork(stock_spec);
  ExpectNear(ours->Export(), stock->Export(), 0.0F);
  for (int step = 0; step < 10; ++step) {
    const StepOptions options{1e-2F, 0.1F, 0.0F};
    EXPECT_NEAR(ours->Step(Texts(), options), stock->Step(Texts(), options), 1e-5);
  }
  ExpectNear(ours->Export(), stock->Export(), 2e-4F);
  std::vector<float> a;
  std::vector<float> b;
  ours->Forward(Texts(), &a);
  stock->Forward(Texts(), &b);
  ASSERT_EQ(a.size(), 15u);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3);
}

TEST_P(TorchNetworkTest, LearnsWhatItIsShown) {
  const auto network = MakeTorchNetwork(Spec(GetParam()));
  double loss = 0.0;
  for (int step = 0; step < 300; ++step) loss = network->Step(Texts(), {2e-2F, 0.0F, 0.0F});
  EXPECT_LT(loss, 0.02);
}

using Patterns = std::vector<std::vector<int32_t>>;

TEST_P(TorchNetworkTest, PatternsOfOneOutputLearnWhatLabelsLearn) {
  NetworkSpec spec = Spec(GetParam());
  spec.patterns = std::make_shared<Patterns>(Patterns{{0}, {1}, {2}});
  const auto by_label = MakeTorchNetwork(Spec(GetParam()));
  const auto by_pattern = MakeTorchNetwork(spec);
  for (int step = 0; step < 5; ++step) {
    EXPECT_NEAR(by_pattern->Step(Texts(), {1e-2F, 0.1F, 0.0F}),
                by_label->Step(Texts(), {1e-2F, 0.1F, 0.0F}), 1e-5);
  }
  ExpectNear(by_pattern->Export(), by_label->Export(), 1e-4F);
}

TEST_P(TorchNetworkTest, AnyOutputOfItsPatternIsRightForARow) {
  NetworkSpec spec = Spec(GetParam());
  spec.patterns = std::make_shared<Patterns>(Patterns{{0, 2}, {1}});
  const auto network = MakeTorchNetwork(spec);
  Batch texts = Texts();
  texts.labels = {0, 1, 0, 0, 1};
  double loss = 0.0;
  for (int step = 0; step < 300; ++step) loss = network->Step(texts, {2e-2F, 0.0F, 0.0F});
  EXPECT_LT(loss, 0.02);
  std::vector<float> logits;
  network->Forward(texts, &logits);
  for (size_t row = 0; row < 5; ++row) {
    const float* z = logits.data() + 3 * row;
    const bool one = z[1] > std::max(z[0], z[2]);
    EXPECT_EQ(one, texts.labels[row] == 1) << row;
  }
}

TEST_P(TorchNetworkTest, NetworksLearnTheSameBitsSideBySide) {
  const auto learn = [](Network* network) {
    for (int step = 0; step < 50; ++step) network->Step(Texts(), {1e-2F, 0.1F, 0.3F});
  };
  const auto alone = MakeTorchNetwork(Spec(GetParam()));
  learn(alone.get());
  std::vector<std::unique_ptr<Network>> networks;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) networks.push_back(MakeTorchNetwork(Spec(GetParam())));
  for (const auto& network : networks) threads.emplace_back(learn, network.get());
  for (std::thread& thread : threads) thread.join();
  for (const auto& network : networks) EXPECT_EQ(network->Export(), alone->Export());
}

TEST_P(TorchNetworkTest, TheSameStepsGiveTheSameBits) {
  const auto first = MakeTorchNetwork(Spec(GetParam()));
  for (int step = 0; step < 20; ++step) first->Step(Texts(), {1e-2F, 0.1F, 0.3F});
  const auto second = MakeTorchNetwork(Spec(GetParam()));
  for (int step = 0; step < 20; ++step) second->Step(Texts(), {1e-2F, 0.1F, 0.3F});
  EXPECT_EQ(first->Export(), second->Export());
  NetworkSpec other = Spec(GetParam());
  other.seed = 6;
  EXPECT_NE(MakeTorchNetwork(other)->Export(), MakeTorchNetwork(Spec(GetParam()))->Export());
}

TEST_P(TorchNetworkTest, TokensThatNoTextHasDoNotMove) {
  const auto network = MakeTorchNetwork(Spec(GetParam()));
  const Weights before = network->Export();
  for (int step = 0; step < 5; ++step) network->Step(Texts(), {1e-2F, 0.1F, 0.3F});
  const std::vector<float>& old = before.at("embedding.weight");
  const std::vector<float>& now = network->Export().at("embedding.weight");
  for (const size_t token : {6, 7}) {
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(old[token * 8 + i], now[token * 8 + i]);
  }
  EXPECT_NE(old[5 * 8], now[5 * 8]);
}

TEST_P(TorchNetworkTest, ImportRestoresWhatExportGave) {
  const auto network = MakeTorchNetwork(Spec(GetParam()));
  const Weights before = network->Export();
  network->Step(Texts(), {1e-2F, 0.0F, 0.0F});
  EXPECT_NE(network->Export(), before);
  network->Import(before);
  EXPECT_EQ(network->Export(), before);
}

TEST_P(TorchNetworkTest, WorksWithoutAHiddenLayerAndOnEmptyTextsAlone) {
  const auto network = MakeTorchNetwork(Spec(GetParam(), 0));
  Batch empty;
  empty.offsets = {0, 0, 0};
  empty.labels = {0, 0};
  empty.weights = {1.0F, 1.0F};
  EXPECT_TRUE(std::isfinite(network->Step(empty, {1e-2F, 0.0F, 0.0F})));
  std::vector<float> logits;
  network->Forward(empty, &logits);
  ASSERT_EQ(logits.size(), 6u);
  EXPECT_EQ(logits[0], logits[3]);
  EXPECT_EQ(network->Export().count("hidden.weight"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TorchNetworkTest, testing::Values(kBagNetwork, kTableCnnNetwork),
                         [](const auto& info) { return std::string(info.param); });

TEST(TorchNetworkDeviceTest, CudaWhereThereIsNoneIsAClearError) {
  NetworkSpec spec = Spec(kBagNetwork);
  spec.device = Device::kCuda;
  try {
    const auto network = MakeTorchNetwork(spec);
    network->Step(Texts(), {1e-2F, 0.1F, 0.0F});  // a machine that has one trains
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(e.what(),
                 "--device cuda: this LibTorch or this machine has no CUDA device; use --device "
                 "cpu");
  }
}

}  // namespace
}  // namespace rebound
