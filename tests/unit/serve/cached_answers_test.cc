// What the cache may and may not do to answers.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/json.h"
#include "models/task.h"
#include "serve/cache_snapshot.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using test::Served;

class CachedAnswersTest : public testing::Test {
 protected:
  std::shared_ptr<const Classifier> Publish(test::TestBundle bundle) {
    const int version = test::PublishTestBundle(&store_, bundle);
    return Classifier::Load(store_.BundleFolder(bundle.task, version));
  }
  std::shared_ptr<const Classifier> PublishAlways(std::string label) {
    test::TestBundle bundle;
    bundle.always = std::move(label);
    return Publish(bundle);
  }
  void Serve(CacheOptions cache = {}) {
    Served::Options options;
    options.models = folder_.path();
    options.tasks = {Task::kBnac};
    options.cache = cache;
    served_.emplace(options);
  }
  std::string ClassOf(const std::string& text) {
    const Response response = served_->Ask("POST", "/v1/bnac", R"({"message":")" + text + "\"}");
    EXPECT_EQ(response.status, 200);
    return std::string(GetJsonString(ParseJson(response.body)[0], "class"));
  }
  CacheKey KeyOf(const Classifier& model, std::string_view text) {
    return served_->cache().MakeKey(Task::kBnac, model.hash(), Normalise(text));
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

TEST_F(CachedAnswersTest, ALateWriteOfTheOldModelIsNeverTheNewOnesAnswer) {
  const auto old = PublishAlways("SPF");
  Serve();
  EXPECT_EQ(ClassOf("text"), "SPF");
  const auto fresh = PublishAlways("DKIM");
  served_->engine().Swap(Task::kBnac, fresh);
  // A request that took the old model before the swap ends only now.
  Classifier::Scratch scratch;
  served_->cache().Put(KeyOf(*old, "text"), old->ClassifyText("text", &scratch));
  served_->cache().Put(KeyOf(*old, "other"), old->ClassifyText("other", &scratch));
  EXPECT_EQ(ClassOf("text"), "DKIM");
  EXPECT_EQ(ClassOf("other"), "DKIM");
  served_->engine().Swap(Task::kBnac, old);
  EXPECT_EQ(ClassOf("text"), "SPF") << "and back again";
}

TEST_F(CachedAnswersTest, EveryAnswerAfterASwapIsTheNewModels) {
  const char* const labels[] = {"SPF", "DKIM", "TLS"};
  std::vector<std::shared_ptr<const Classifier>> models;
  for (const char* label : labels) models.push_back(PublishAlways(label));
  CacheOptions small;
  small.max_bytes = 400;  // evicts all the time
  for (const CacheOptions& options : {CacheOptions{}, small}) {
    Serve(options);
    // Others ask the same texts meanwhile, with the models of any moment.
    std::atomic<bool> stop{false};
    std::vector<std::thread> others;
    for (int t = 0; t < 2; ++t) {
      others.emplace_back([&] {
        for (int i = 0; !stop; ++i) ClassOf("text " + std::string(1 + i % 20, 'x'));
      });
    }
    for (size_t i = 0; i < 300; ++i) {
      served_->engine().Swap(Task::kBnac, models[i % 3]);
      ASSERT_EQ(ClassOf("text " + std::string(1 + i % 20, 'x')), labels[i % 3]) << i;
    }
    stop = true;
    for (std::thread& other : others) other.join();
  }
}

TEST_F(CachedAnswersTest, ASnapshotOfAnotherModelAnswersNothing) {
  const CacheSnapshot snapshot{folder_.path() / "cache.snapshot", "1"};
  CacheOptions options;
  PublishAlways("SPF");
  Serve(options);
  EXPECT_EQ(ClassOf("text"), "SPF");
  EXPECT_EQ(WriteCacheSnapshot(snapshot, served_->cache(), {}), 1u);
  PublishAlways("DKIM");
  Serve(options);
  EXPECT_EQ(LoadCacheSnapshot(snapshot, &served_->cache()), 1u);
  EXPECT_EQ(ClassOf("text"), "DKIM");
}

TEST_F(CachedAnswersTest, ASnapshotOfTheSameModelAnswersForIt) {
  const CacheSnapshot snapshot{folder_.path() / "cache.snapshot", "1"};
  CacheOptions options;
  PublishAlways("SPF");
  Serve(options);
  EXPECT_EQ(ClassOf("text"), "SPF");
  WriteCacheSnapshot(snapshot, served_->cache(), {});
  Serve(options);
  LoadCacheSnapshot(snapshot, &served_->cache());
  EXPECT_EQ(ClassOf("text"), "SPF");
  EXPECT_EQ(served_->cache().Stats().hits, 1u);
  EXPECT_EQ(served_->cache().Stats().misses, 0u);
}

TEST_F(CachedAnswersTest, AnAnswerOfTheStatusCodeIsNeverCached) {
  test::TestBundle bundle;
  bundle.fallback_threshold = 0.9;
  const auto model = Publish(bundle);
  Serve();
  const std::string text = "550 5.1.1 nothing that the model knows";
  Classifier::Scratch scratch;
  const Prediction alone = model->ClassifyText(text, &scratch);
  const std::string first = ClassOf(text);
  ASSERT_NE(first, TaskLabels(Task::kBnac)[model->task_label(alone.label)])
      << "the code decides, not the model";
  const auto cached = served_->cache().Get(KeyOf(*model, text));
  ASSERT_TRUE(cached);
  EXPECT_EQ(cached->label, alone.label) << "the model's output alone";
  EXPECT_EQ(cached->probability, alone.probability);
  EXPECT_EQ(ClassOf(text), first);

  // A bundle of the same weights and another threshold has the same hash, and decides anew.
  bundle.fallback_threshold = 0;
  const auto trusting = Publish(bundle);
  ASSERT_EQ(trusting->hash(), model->hash());
  served_->engine().Swap(Task::kBnac, trusting);
  EXPECT_EQ(ClassOf(text), TaskLabels(Task::kBnac)[model->task_label(alone.label)]);
}

TEST_F(CachedAnswersTest, ALabelThatTheModelDoesNotHaveIsNotBelieved) {
  const auto model = PublishAlways("SPF");
  Serve();
  served_->cache().Put(KeyOf(*model, "text"), {200, 0.5F});
  EXPECT_EQ(ClassOf("text"), "SPF");
  EXPECT_EQ(ClassOf("text"), "SPF");
}

TEST_F(CachedAnswersTest, SingleNeitherReadsNorWrites) {
  const auto model = PublishAlways("SPF");
  Serve();
  served_->Ask("POST", "/v2/bnac/single", R"({"message":"text"})");
  EXPECT_EQ(served_->cache().Stats().elements, 0u);
  served_->cache().Put(KeyOf(*model, "text"), {0, 0.5F});
  EXPECT_EQ(served_->Ask("POST", "/v1/bnac/single", R"({"message":"text"})").body,
            R"({"class":"SPF"})");
  EXPECT_EQ(served_->cache().Stats().hits + served_->cache().Stats().misses, 0u);
}

}  // namespace
}  // namespace rebound
