#include "models/bundle.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/error.h"

namespace rebound {
namespace {

BundleConfig SomeConfig() {
  BundleConfig config;
  config.task = Task::kAction;
  config.version = 12;
  config.labels = {"user_unknown", "auth_failure"};
  config.outputs = {1, 0, 1};
  config.network = kTableCnnNetwork;
  config.sizes = {{"vocabulary", 8000}, {"embedding", 64}, {"filters", 64}, {"hidden", 0}};
  config.normaliser_version = 3;
  config.temperature = 1.0 / 3.0;
  config.fallback_threshold = 0.35;
  config.snapshot_id = 77;
  config.snapshot_digest = "abc";
  config.seed = std::numeric_limits<uint64_t>::max();
  config.environment = {{"OMP_NUM_THREADS", "1"}, {"odd \"value\"", "\xC3\xA4\n"}};
  config.training = {{"epochs", "8"}};
  config.code_version = "0.1.0";
  config.trained_at = "2026-01-01T00:00:00Z";
  config.training_samples = 100000;
  config.validation_accuracy = 0.1 + 0.2;
  config.sha256 = {{"golden.jsonl", "00"}, {"weights.safetensors", "ff"}};
  return config;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& json) {
  try {
    ParseBundleConfig(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

TEST(BundleConfig, ReadsBackEveryFieldThatItWrote) {
  const BundleConfig config = SomeConfig();
  const std::string json = WriteBundleConfig(config);
  const BundleConfig read = ParseBundleConfig(json);
  EXPECT_EQ(read.format_version, kBundleFormat);
  EXPECT_EQ(read.task, Task::kAction);
  EXPECT_EQ(read.version, 12);
  EXPECT_EQ(read.labels, config.labels);
  EXPECT_EQ(read.outputs, config.outputs);
  EXPECT_EQ(read.network, config.network);
  EXPECT_EQ(read.sizes, config.sizes);
  EXPECT_EQ(read.normaliser_version, 3);
  EXPECT_EQ(read.temperature, config.temperature);
  EXPECT_EQ(read.fallback_threshold, 0.35);
  EXPECT_EQ(read.snapshot_id, 77);
  EXPECT_EQ(read.snapshot_digest, "abc");
  EXPECT_EQ(read.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(read.environment, config.environment);
  EXPECT_EQ(read.training, config.training);
  EXPECT_EQ(read.code_version, "0.1.0");
  EXPECT_EQ(read.trained_at, "2026-01-01T00:00:00Z");
  EXPECT_EQ(read.training_samples, 100000);
  EXPECT_EQ(read.validation_accuracy, config.validation_accuracy);
  EXPECT_EQ(read.sha256, config.sha256);
  EXPECT_EQ(WriteBundleConfig(read), json);
}

TEST(BundleConfig, SaysWhichFieldIsWrong) {
  const std::string good = WriteBundleConfig(SomeConfig());
  EXPECT_EQ(ErrorOf(""), "config.json: JSON at byte 0: The document is empty.");
  EXPECT_EQ(ErrorOf("[]"),
            "config.json: key 'format_version' is asked of a value that is no JSON object");
  EXPECT_EQ(ErrorOf("{}"), "config.json: key 'format_version' is missing");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"format_version\": 2", "\"format_version\": 3")),
            "config.json: format 3 is unknown to this program, which reads formats 1 to 2");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"action\"", "\"mood\"")), "config.json: unknown task 'mood'");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"auth_failure\"", "\"SPF\"")),
            "config.json: task action has no label 'SPF'");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"auth_failure\"", "\"user_unknown\"")),
            "config.json: label 'user_unknown' stands there twice");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"version\": 12", "\"version\": -1")),
            "config.json: key 'version' is -1, expected a count");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"version\": 12", "\"version\": \"12\"")),
            "config.json: key 'version' is not an integer");
  EXPECT_EQ(ErrorOf(Replaced(good, "0.3333333333333333", "0")),
            "config.json: key 'temperature' is 0.000000, expected a number above 0");
  EXPECT_EQ(ErrorOf(Replaced(good, "0.3333333333333333", "null")),
            "config.json: key 'temperature' is not a number");
  EXPECT_EQ(ErrorOf(Replaced(good, "0.35", "1.5")),
            "config.json: key 'fallback_threshold' is 1.500000, expected 0 to 1");
  EXPECT_EQ(ErrorOf(Replaced(good, "18446744073709551615", "-1")),
            "config.json: key 'seed' is no unsigned integer");
  EXPECT_EQ(ErrorOf(Replaced(good, "8000", "\"many\"")),
            "config.json: key 'vocabulary' is not an integer");
  EXPECT_EQ(ErrorOf(Replaced(good, "\"ff\"", "[]")),
            "config.json: key 'sha256' holds a value that is no string");
}

TEST(BundleConfig, RefusesAMissingKeyByName) {
  const std::string good = WriteBundleConfig(SomeConfig());
  for (const char* key : {"format_version", "task", "version", "labels", "outputs", "network",
                          "sizes", "normaliser_version", "temperature", "fallback_threshold",
                          "snapshot_id", "snapshot_digest", "seed", "environment", "code_version",
                          "trained_at", "training_samples", "validation_accuracy", "sha256"}) {
    const std::string quoted = "\"" + std::string(key) + "\":";
    EXPECT_EQ(ErrorOf(Replaced(good, quoted, "\"other\":")),
              "config.json: key '" + std::string(key) + "' is missing");
  }
}

TEST(BundleConfig, RefusesOutputsThatAreNoLabelsOrLeaveOneOut) {
  BundleConfig config = SomeConfig();
  const auto refusal = [&](std::vector<int32_t> outputs) {
    config.outputs = std::move(outputs);
    return ErrorOf(WriteBundleConfig(config));
  };
  const std::string no_position =
      "config.json: key 'outputs' holds what is no position in 'labels'";
  EXPECT_EQ(refusal({0, 2}), no_position);
  EXPECT_EQ(refusal({0, -1}), no_position);
  EXPECT_EQ(refusal({1, 1}), "config.json: key 'outputs' leaves a label without an output");
}

TEST(BundleConfig, OfFormatOneHasOneOutputALabel) {
  BundleConfig config = SomeConfig();
  config.format_version = 1;
  const std::string json = WriteBundleConfig(config);
  EXPECT_EQ(json.find("outputs"), std::string::npos);
  const BundleConfig read = ParseBundleConfig(json);
  EXPECT_TRUE(read.outputs.empty());
  EXPECT_EQ(CountOutputs(read), 2U);
  EXPECT_EQ(WriteBundleConfig(read), json);
}

TEST(Goldens, ReadBackWhatWasWritten) {
  const std::vector<Golden> goldens = {{"550 \"quoted\"\n5.1.1 \xC3\xA4", "SPF", 0.1F},
                                       {"", "DKIM", 1.0F}};
  const std::vector<Golden> read = ParseGoldens(WriteGoldens(goldens));
  ASSERT_EQ(read.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read[i].text, goldens[i].text);
    EXPECT_EQ(read[i].label, goldens[i].label);
    EXPECT_EQ(read[i].probability, goldens[i].probability);
  }
  EXPECT_EQ(
      WriteGoldens(goldens),
      "{\"text\":\"550 \\\"quoted\\\"\\n5.1.1 \xC3\xA4\",\"class\":\"SPF\",\"probability\":0.1}\n"
      "{\"text\":\"\",\"class\":\"DKIM\",\"probability\":1}\n");
}

TEST(Goldens, NameTheLineThatIsWrong) {
  EXPECT_TRUE(ParseGoldens("").empty());
  try {
    ParseGoldens("{\"text\":\"a\",\"class\":\"b\",\"probability\":0.5}\n\n{\"text\":\"a\"}\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_STREQ(error.what(), "golden.jsonl: line 3: key 'class' is missing");
  }
}

}  // namespace
}  // namespace rebound
