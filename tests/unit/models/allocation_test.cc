// A message costs no allocation once the buffers have grown.
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "engine/engine.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "tests/support/bundles.h"
#include "tests/support/counting_new.h"

namespace rebound {
namespace {

const std::string kLong = [] {
  std::string text = "550 5.7.1 ";
  for (int i = 0; i < 300; ++i) text += "message rejected because of policy ";
  return text;
}();
constexpr std::string_view kShort = "smtp;451 4.7.1 <a@example.com>: Greylisting in effect";

TEST(Allocation, OurCounterCounts) {
  const size_t before = test::Allocations();
  const std::string text(1000, 'x');  // beyond what a string holds in itself
  EXPECT_EQ(test::Allocations(), before + 1);
  EXPECT_EQ(text.size(), 1000U);
}

TEST(Allocation, ClassifyingAWarmMessageAllocatesNothing) {
  for (const std::string_view network : {kBagNetwork, kTableCnnNetwork}) {
    const TempFolder folder;
    BundleStore store(folder.path());
    test::TestBundle bundle;
    bundle.network = network;
    bundle.hidden = true;
    const int version = test::PublishTestBundle(&store, bundle);
    const auto classifier = Classifier::Load(store.BundleFolder(Task::kBnac, version));
    Classifier::Scratch scratch;
    classifier->ClassifyText(kLong, &scratch);
    classifier->ClassifyText(kShort, &scratch);
    const size_t before = test::Allocations();
    for (int i = 0; i < 10; ++i) {
      classifier->ClassifyText(kShort, &scratch);
      classifier->ClassifyText(kLong, &scratch);
      classifier->ClassifyText("", &scratch);
    }
    EXPECT_EQ(test::Allocations(), before) << network;
  }
}

TEST(Allocation, AnsweringAllTasksOfAWarmMessageAllocatesNothing) {
  const TempFolder folder;
  BundleStore store(folder.path());
  Engine engine;
  for (const Task task : kTasks) {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.fallback_threshold = 1.0;  // the codes are asked every time
    const int version = test::PublishTestBundle(&store, bundle);
    engine.Swap(task, Classifier::Load(store.BundleFolder(task, version)));
  }
  Engine::Scratch scratch;
  const auto answer = [&](std::string_view text) {
    const ModelSet models = engine.Take();
    Engine::Prepare(text, &scratch);
    for (const Task task : kTasks) {
      Engine::Decide(models, task, Engine::Predict(models, task, &scratch), text, &scratch);
    }
  };
  constexpr std::string_view kByCode = "550 5.1.1 tls";
  for (const std::string_view text : {std::string_view(kLong), kShort, kByCode}) answer(text);
  const size_t before = test::Allocations();
  for (const std::string_view text : {std::string_view(kLong), kShort, kByCode}) answer(text);
  EXPECT_EQ(test::Allocations(), before);
}

}  // namespace
}  // namespace rebound
