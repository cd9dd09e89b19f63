#include "train/recorded_options.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tokenizer/normaliser.h"
#include "train/out_of_fold.h"
#include "train/verify.h"

namespace rebound {
namespace {

template <class Body>
std::string ErrorOf(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return std::string(ErrorCodeName(e.code())) + ": " + e.what();
  }
  return "no error";
}

TEST(RecordedOptions, AreReadBackBitForBit) {
  TrainingOptions options;
  options.networks = {"bag", "table_cnn"};
  options.sizes = {{"embedding", 17}, {"hidden", 0}};
  options.members = 5;
  options.fit.epochs = 9;
  options.fit.learning_rate = 0.1F / 3.0F;
  options.fit.sampling.batch_rows = 77;
  options.fit.sampling.word_dropout = 1e-7F;
  const auto recorded = RecordOptions(options, {"", "", "trained", 4000});
  TrainingOptions read;
  const RecordedTokenizer tokenizer = ApplyRecordedOptions(recorded, &read);
  EXPECT_EQ(tokenizer.source, "trained");
  EXPECT_EQ(tokenizer.vocabulary, 4000);
  EXPECT_EQ(read.networks, options.networks);
  EXPECT_EQ(read.sizes, options.sizes);
  EXPECT_EQ(read.fit.learning_rate, options.fit.learning_rate);
  EXPECT_EQ(read.fit.sampling.batch_rows, 77u);
  EXPECT_EQ(RecordOptions(read, {"", "", "trained", 4000}), recorded);
}

TEST(RecordedOptions, ARecordOfAnotherVersionIsRefused) {
  TrainingOptions options;
  const auto recorded = RecordOptions(options, {});
  auto less = recorded;
  less.erase("dropout");
  EXPECT_EQ(ErrorOf([&] { ApplyRecordedOptions(less, &options); }),
            "not_found: the bundle does not record the option dropout that it was trained with: "
            "another version of rebound-train made it, so verify it with that one");
  auto more = recorded;
  more["momentum"] = "0.9";
  EXPECT_EQ(ErrorOf([&] { ApplyRecordedOptions(more, &options); }),
            "not_found: the bundle records the option momentum, which this version of "
            "rebound-train does not know: verify it with the one that made it");
  auto wrong = recorded;
  wrong["epochs"] = "many";
  EXPECT_EQ(ErrorOf([&] { ApplyRecordedOptions(wrong, &options); }),
            "corrupt: the recorded option epochs has the value 'many', no number");
}

TEST(CompareFilesTest, TellsTheFirstDifference) {
  EXPECT_TRUE(CompareFiles("f", "abc", "abc").same);
  EXPECT_EQ(CompareFiles("f", "abc", "abc").what, "the same 3 bytes");
  EXPECT_EQ(CompareFiles("f", "abc", "aXc").what,
            "differs first at byte 1 (0x62, now 0x58); 3 bytes, now 3");
  EXPECT_EQ(CompareFiles("f", "abc", "ab").what, "differs first at byte 2; 3 bytes, now 2");
  EXPECT_FALSE(CompareFiles("f", "", "\xFF").same);
}

TEST(RequireVerifiableTest, NeedsRecordedOptionsAndTheSameNormaliser) {
  BundleConfig config;
  config.version = 3;
  config.normaliser_version = kNormaliserVersion;
  config.training = {{"epochs", "1"}};
  RequireVerifiable(config);
  config.normaliser_version = kNormaliserVersion + 1;
  config.code_version = "9.9";
  EXPECT_EQ(ErrorOf([&] { RequireVerifiable(config); }),
            "invalid_argument: bnac version 3 reads texts by normaliser " +
                std::to_string(kNormaliserVersion + 1) + " and this program by " +
                std::to_string(kNormaliserVersion) + ": verify it with rebound 9.9");
  config.training.clear();
  EXPECT_EQ(ErrorOf([&] { RequireVerifiable(config); }).substr(0, 55),
            "not_found: bnac version 3 records no training options: ");
}

TEST(FoldOfTest, IsStableAndEven) {
  EXPECT_EQ(FoldOf("template 1", 5), FoldOf("template 1", 5));
  std::vector<int> counts(5);
  for (int i = 0; i < 1000; ++i) ++counts.at(static_cast<size_t>(FoldOf(std::to_string(i), 5)));
  for (const int count : counts) {
    EXPECT_GT(count, 150);
    EXPECT_LT(count, 250);
  }
}

}  // namespace
}  // namespace rebound
