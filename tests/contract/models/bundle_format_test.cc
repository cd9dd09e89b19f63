// What is published once stays readable: bundles of every format that ever was lie in
// tests/testdata/bundles, and this program still loads them or says why it does not.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
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
  // An old bundle, read and published anew, is the same files byte for byte.
  const BundleStore old(Testdata() / "v1");
  for (const Task task : kTasks) {
    const auto folder = old.BundleFolder(task, 1);
    const std::string weights = ReadFile(folder / "weights.safetensors");
    BundleDraft draft;
    draft.config = ParseBundleConfig(ReadFile(folder / "config.json"));
    draft.weights = ParseSafetensors(weights);
    draft.tokenizer_model = ReadFile(folder / "tokenizer.model");
    draft.goldens = ParseGoldens(ReadFile(folder / "golden.jsonl"));
    draft.scorecard_json = ReadFile(folder / "scorecard.json");
    draft.model_card = ReadFile(folder / "MODEL_CARD.md");
    const TempFolder root;
    BundleStore store(root.path());
    ASSERT_EQ(store.Publish(draft), 1);
    store.Promote(task, 1);
    for (const char* name : {"config.json", "weights.safetensors", "golden.jsonl"}) {
      EXPECT_EQ(ReadFile(store.BundleFolder(task, 1) / name), ReadFile(folder / name))
          << TaskName(task) << " " << name;
    }
    EXPECT_EQ(ReadFile(store.TaskFolder(task) / "CURRENT"),
              ReadFile(old.TaskFolder(task) / "CURRENT"));
  }
}

}  // namespace
}  // namespace rebound
