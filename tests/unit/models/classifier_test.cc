#include "models/classifier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <numeric>
#include <thread>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "models/bundle_store.h"
#include "models/network.h"
#include "tests/support/bundles.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
using test::TestBundle;

// One published bundle that a test may damage.
class Damaged {
 public:
  explicit Damaged(const TestBundle& bundle = {}) : store_(folder_.path()) {
    bundle_ = store_.BundleFolder(bundle.task, test::PublishTestBundle(&store_, bundle));
  }

  const fs::path& path() const { return bundle_; }
  std::string Read(const std::string& name) const { return ReadFile(bundle_ / name); }
  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(bundle_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }
  // Writes the file and a config.json that vouches for it: what a faulty trainer would publish.
  void Sign(const std::string& name, const std::string& bytes) {
    Write(name, bytes);
    Configure([&](BundleConfig& config) { config.sha256[name] = Sha256Hex(bytes); });
  }
  void Configure(const std::function<void(BundleConfig&)>& change) {
    BundleConfig config = ParseBundleConfig(Read("config.json"));
    change(config);
    Write("config.json", WriteBundleConfig(config));
  }
  // Writes the weights with one tensor's values changed.
  void ChangeTensor(const std::string& name,
                    const std::function<void(std::vector<float>&)>& change) {
    const std::string bytes = Read("weights.safetensors");
    TensorMap tensors = ParseSafetensors(bytes);
    std::vector<float> values(tensors.at(name).values.begin(), tensors.at(name).values.end());
    change(values);
    tensors.at(name).values = values;
    Sign("weights.safetensors", MakeSafetensors(tensors, {}));
  }

  // The refusal without the bundle's path.
  std::string Refusal() const {
    try {
      Classifier::Load(bundle_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
      const std::string prefix = "bundle " + bundle_.string() + ": ";
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with(prefix)) << message;
      return message.substr(prefix.size());
    }
    return "no refusal";
  }

 private:
  TempFolder folder_;
  BundleStore store_;
  fs::path bundle_;
};

std::string ClassOf(const Classifier& classifier, std::string_view text) {
  Classifier::Scratch scratch;
  return classifier.config().labels[classifier.ClassifyText(text, &scratch).label];
}

TEST(Classifier, ClassifiesByABundleOfEachKindAndTask) {
  for (const Task task : kTasks) {
    for (const std::string_view network : {kBagNetwork, kTableCnnNetwork}) {
      for (const bool hidden : {false, true}) {
        TestBundle bundle;
        bundle.task = task;
        bundle.network = network;
        bundle.hidden = hidden;
        const Damaged published(bundle);
        const auto classifier = Classifier::Load(published.path());
        for (const test::TestKeyword& keyword : test::TestKeywords()) {
          EXPECT_EQ(ClassOf(*classifier,
                            "550 5.7.1 message rejected because " + std::string(keyword.word)),
                    keyword.labels[Index(task)])
              << keyword.word << " by " << network;
        }
      }
    }
  }
}

TEST(Classifier, TellsItsConfigHashAndTokenizer) {
  const Damaged published;
  const auto classifier = Classifier::Load(published.path());
  EXPECT_EQ(classifier->config().task, Task::kBnac);
  EXPECT_EQ(classifier->config().version, 1);
  EXPECT_EQ(classifier->hash(), Sha256Hex(published.Read("weights.safetensors")).substr(0, 16));
  EXPECT_EQ(classifier->tokenizer_sha256(), Sha256Hex(published.Read("tokenizer.model")));
  EXPECT_EQ(classifier->encoder().size(), classifier->config().sizes.at("vocabulary"));
}

TEST(Classifier, MapsItsOwnOrderOfLabelsToTheTasks) {
  TestBundle bundle;
  bundle.labels = {"VIRUS", "BLOCKED", "SPF"};
  const Damaged published(bundle);
  const auto classifier = Classifier::Load(published.path());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(TaskLabels(Task::kBnac)[classifier->task_label(i)], bundle.labels[i]);
  }
  EXPECT_EQ(ClassOf(*classifier, "a virus"), "VIRUS");
}

TEST(Classifier, AddsUpTheOutputsOfALabel) {
  // Every output twice: each label's share is the same as with one.
  const auto made = test::MakeTestDraft({});
  const Damaged published;
  const auto once = Classifier::Load(published.path());
  BundleDraft& draft = made->draft;
  for (int32_t copy = 0; copy < 2; ++copy) {
    for (size_t i = 0; i < draft.config.labels.size(); ++i) {
      draft.config.outputs.push_back(static_cast<int32_t>(i));
    }
  }
  for (const std::string name : {"output.weight", "output.bias"}) {
    std::vector<float>& values = made->weights.at(name);
    const std::vector<float> copy = values;
    values.insert(values.end(), copy.begin(), copy.end());
    TensorView& view = draft.weights.at(name);
    view.shape.front() *= 2;
    view.values = values;
  }
  const TempFolder folder;
  BundleStore store(folder.path());
  const auto twice = Classifier::Load(store.BundleFolder(Task::kBnac, store.Publish(draft)));
  EXPECT_EQ(CountOutputs(twice->config()), 36U);
  Classifier::Scratch scratch;
  for (const char* text : {"550 5.7.1 spamhaus", "greylisting, later", "no words known", ""}) {
    const Prediction a = once->ClassifyText(text, &scratch);
    const Prediction b = twice->ClassifyText(text, &scratch);
    EXPECT_EQ(a.label, b.label) << text;
    EXPECT_NEAR(a.probability, b.probability, 1e-6) << text;
  }
}

TEST(Classifier, GivesProbabilitiesThatSumToOneForAnyIds) {
  const Damaged published;
  const auto classifier = Classifier::Load(published.path());
  Classifier::Scratch scratch;
  std::vector<float> probabilities(classifier->config().labels.size());
  for (const size_t tokens : {0U, 1U, 2U, 2000U}) {
    std::vector<int32_t> ids(tokens);
    std::iota(ids.begin(), ids.end(), 0);
    for (int32_t& id : ids) id %= classifier->encoder().size();
    classifier->Score(ids, &scratch, probabilities);
    EXPECT_NEAR(std::accumulate(probabilities.begin(), probabilities.end(), 0.0), 1.0, 1e-5);
    const Prediction prediction = classifier->Classify(ids, &scratch);
    EXPECT_EQ(prediction.probability, probabilities[prediction.label]);
    EXPECT_EQ(prediction.probability,
              *std::max_element(probabilities.begin(), probabilities.end()));
  }
}

TEST(Classifier, RefusesRoomForAnotherNumberOfProbabilities) {
  const Damaged published;
  const auto classifier = Classifier::Load(published.path());
  Classifier::Scratch scratch;
  std::vector<float> probabilities(17);
  EXPECT_THROW(classifier->Score({}, &scratch, probabilities), Error);
}

TEST(Classifier, AnswersManyThreadsAlike) {
  const Damaged published;
  const auto classifier = Classifier::Load(published.path());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Classifier::Scratch scratch;
      for (int i = 0; i < 200; ++i) {
        const auto prediction = classifier->ClassifyText("550 5.7.1 listed by spamhaus", &scratch);
        ASSERT_EQ(classifier->config().labels[prediction.label], "BLOCK_LIST");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ClassifierLoad, TellsThatAFolderIsNotThere) {
  const TempFolder folder;
  const fs::path missing = folder.path() / "000001";
  try {
    Classifier::Load(missing);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(error.what(), "bundle " + missing.string() + ": there is no such folder");
  }
}

TEST(ClassifierLoad, RefusesABundleWithoutOneOfItsFiles) {
  for (const std::string name : {"config.json", "weights.safetensors", "tokenizer.model",
                                 "golden.jsonl", "scorecard.json", "MODEL_CARD.md"}) {
    const Damaged bundle;
    fs::remove(bundle.path() / name);
    EXPECT_EQ(bundle.Refusal(), name + " is missing");
  }
}

TEST(ClassifierLoad, RefusesAnyChangeOfAnyFile) {
  for (const std::string name : {"weights.safetensors", "tokenizer.model", "golden.jsonl",
                                 "scorecard.json", "MODEL_CARD.md"}) {
    Damaged bundle;
    const std::string refusal =
        name + " has another sha256 than config.json says: it was changed or cut";
    const std::string good = bundle.Read(name);
    bundle.Write(name, good.substr(0, good.size() - 1));
    EXPECT_EQ(bundle.Refusal(), refusal);
    for (const size_t at : {size_t{0}, good.size() / 2, good.size() - 1}) {
      std::string flipped = good;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
      bundle.Write(name, flipped);
      EXPECT_EQ(bundle.Refusal(), refusal);
    }
    bundle.Write(name, "");
    EXPECT_EQ(bundle.Refusal(), refusal);
    bundle.Write(name, good);
    EXPECT_EQ(bundle.Refusal(), "no refusal");
  }
}

TEST(ClassifierLoad, RefusesAConfigThatVouchesForTooLittleOrTooMuch) {
  Damaged less;
  less.Configure([](BundleConfig& config) { config.sha256.erase("golden.jsonl"); });
  EXPECT_EQ(less.Refusal(), "config.json has no sha256 of golden.jsonl");
  for (const std::string name : {"../CURRENT", "/etc/passwd", "..", "", "a/b"}) {
    Damaged more;
    more.Configure([&](BundleConfig& config) { config.sha256[name] = "00"; });
    EXPECT_EQ(more.Refusal(),
              "config.json has a sha256 of '" + name + "', which is no plain file name");
  }
}

TEST(ClassifierLoad, RefusesAnotherFormatOrNormaliser) {
  Damaged format;
  format.Configure([](BundleConfig& config) { config.format_version = 3; });
  EXPECT_EQ(format.Refusal(),
            "config.json: format 3 is unknown to this program, which reads formats 1 to 2");
  Damaged normaliser;
  normaliser.Configure([](BundleConfig& config) { ++config.normaliser_version; });
  EXPECT_EQ(normaliser.Refusal(), "it was trained with normaliser version " +
                                      std::to_string(kNormaliserVersion + 1) +
                                      ", this program has version " +
                                      std::to_string(kNormaliserVersion) + ": retrain it");
}

TEST(ClassifierLoad, RefusesAnotherNumberOfLabelsOrAnUnknownOne) {
  Damaged fewer;
  fewer.Configure([](BundleConfig& config) {
    config.labels.pop_back();
    config.outputs.pop_back();
  });
  EXPECT_EQ(fewer.Refusal(),
            "weights.safetensors: the network has 18 outputs, but config.json lists 17");
  Damaged unknown;
  unknown.Configure([](BundleConfig& config) { config.labels[3] = "NEWS"; });
  EXPECT_EQ(unknown.Refusal(), "config.json: task bnac has no label 'NEWS'");
}

TEST(ClassifierLoad, RefusesANetworkThatTheWeightsAreNot) {
  Damaged kind;
  kind.Configure([](BundleConfig& config) { config.network = "transformer"; });
  EXPECT_EQ(kind.Refusal(), "network: unknown kind 'transformer', expected bag or table_cnn");
  Damaged size;
  size.Configure([](BundleConfig& config) { config.sizes["embedding"] = 19; });
  EXPECT_EQ(size.Refusal(),
            "weights.safetensors: tensor 'embedding.weight' has the shape [" +
                std::to_string(ParseBundleConfig(size.Read("config.json")).sizes.at("vocabulary")) +
                ", 18], expected [" +
                std::to_string(ParseBundleConfig(size.Read("config.json")).sizes.at("vocabulary")) +
                ", 19]");
}

TEST(ClassifierLoad, RefusesWeightsThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Damaged bundle;
    bundle.ChangeTensor("output.bias", [&](std::vector<float>& values) { values[7] = bad; });
    EXPECT_EQ(bundle.Refusal(),
              "weights.safetensors: tensor 'output.bias' holds a number that is not finite");
  }
}

TEST(ClassifierLoad, RefusesWeightsThatAreNoSafetensors) {
  Damaged bundle;
  bundle.Sign("weights.safetensors", "PK\x03\x04");
  EXPECT_EQ(bundle.Refusal(), "safetensors: the file has 4 bytes, too few for a header");
}

TEST(ClassifierLoad, RefusesATokenizerOfAnotherVocabularyOrNone) {
  Damaged another;
  const int64_t rows = ParseBundleConfig(another.Read("config.json")).sizes.at("vocabulary");
  another.Sign("tokenizer.model", test::MakeTestTokenizer("newcomer"));
  EXPECT_EQ(another.Refusal(), "tokenizer.model has " + std::to_string(rows + 1) +
                                   " pieces, but the embedding has " + std::to_string(rows) +
                                   " rows");
  Damaged none;
  none.Sign("tokenizer.model", "not a model");
  EXPECT_TRUE(none.Refusal().starts_with("tokenizer.model: ")) << none.Refusal();
}

TEST(ClassifierLoad, RefusesAGoldenOfAnotherClassOrProbability) {
  Damaged bundle;
  std::vector<Golden> goldens = ParseGoldens(bundle.Read("golden.jsonl"));
  ASSERT_GE(goldens.size(), 3U);
  const std::string was = goldens[2].label;
  goldens[2].label = was == "DKIM" ? "SPF" : "DKIM";
  bundle.Sign("golden.jsonl", WriteGoldens(goldens));
  EXPECT_EQ(bundle.Refusal(),
            "golden 3 of golden.jsonl has class " + was + " instead of " + goldens[2].label);

  goldens[2].label = was;
  goldens[2].probability = 0.25F;
  bundle.Sign("golden.jsonl", WriteGoldens(goldens));
  EXPECT_TRUE(bundle.Refusal().starts_with("golden 3 of golden.jsonl has probability 0.9"))
      << bundle.Refusal();
  EXPECT_TRUE(bundle.Refusal().ends_with(" instead of 0.25: more than 0.0001 off"))
      << bundle.Refusal();
}

TEST(ClassifierLoad, AllowsAProbabilityWithinTheTolerance) {
  Damaged bundle;
  std::vector<Golden> goldens = ParseGoldens(bundle.Read("golden.jsonl"));
  goldens[0].probability += 0.9F * kGoldenTolerance;
  bundle.Sign("golden.jsonl", WriteGoldens(goldens));
  EXPECT_EQ(bundle.Refusal(), "no refusal");
  goldens[0].probability += 0.3F * kGoldenTolerance;
  bundle.Sign("golden.jsonl", WriteGoldens(goldens));
  EXPECT_NE(bundle.Refusal(), "no refusal");
}

TEST(ClassifierLoad, RefusesABundleThatNothingProves) {
  Damaged bundle;
  bundle.Sign("golden.jsonl", "");
  EXPECT_EQ(bundle.Refusal(), "golden.jsonl holds no golden, so nothing proves the model");
  bundle.Sign("golden.jsonl", "{}\n");
  EXPECT_EQ(bundle.Refusal(), "golden.jsonl: line 1: key 'text' is missing");
}

TEST(ClassifierLoad, RefusesHugeWeightsWhoseSumsOverflow) {
  Damaged bundle;
  bundle.ChangeTensor("output.weight", [](std::vector<float>& values) {
    for (float& value : values) value = std::numeric_limits<float>::max();
  });
  EXPECT_NE(bundle.Refusal(), "no refusal");
}

}  // namespace
}  // namespace rebound
