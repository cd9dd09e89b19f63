// What is published once stays readable: bundles of every format that ever was lie in
// tests/testdata/bundles, and this program still loads them or says why it does not.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "tests/support/bundles.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

std::filesystem::path Testdata() {
  const char* const source = std::getenv("REBOUND_SOURCE");
  return std::filesystem::path(source == nullptr ? "." : source) / "tests/testdata/bundles";
}

TEST(BundleFormat, LoadsTheBundlesOfFormatOneOrAsksToRetrain) {
  const BundleStore store(Testdata() / "v1");
  for (const Task task : kTasks) {
    ASSERT_EQ(store.Current(task), 1) << TaskName(task);
    const auto folder = store.BundleFolder(task, 1);
    try {
      const auto classifier = Classifier::Load(folder);
      EXPECT_EQ(classifier->config().task, task);
      Classifier::Scratch scratch;
      const Prediction prediction =
          classifier->ClassifyText("550 5.7.1 blocked by SPAMHAUS", &scratch);
      EXPECT_GT(prediction.probability, 0.5F);
    } catch (const Error& error) {
      // The one lawful reason: texts have had another canonical form since.
      EXPECT_NE(kNormaliserVersion, 1);
      EXPECT_EQ(error.what(), "bundle " + folder.string() +
                                  ": it was trained with normaliser version 1, this program has "
                                  "version " +
                                  std::to_string(kNormaliserVersion) + ": retrain it");
    }
  }
}

TEST(BundleFormat, IsStillWhatWePublish) {
  // The same synthetic bundle, made today, has the very weights and tokenizer of the old one.
  const BundleStore old(Testdata() / "v1");
  const auto today = test::MakeTestDraft({});
  const auto classifier = Classifier::Load(old.BundleFolder(Task::kBnac, 1));
  EXPECT_EQ(classifier->config().labels, today->draft.config.labels);
  EXPECT_EQ(classifier->config().sizes, today->draft.config.sizes);
  EXPECT_EQ(classifier->encoder().size(), today->draft.config.sizes.at("vocabulary"));
}

}  // namespace
}  // namespace rebound
