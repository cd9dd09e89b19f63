#include "tokenizer/trainer.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "tokenizer/encoder.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

std::vector<std::string> SomeTexts() {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(Normalise("550 5.7.1" + std::string(i % 4 == 0 ? "3" : "") + " [TSS0" +
                              std::to_string(i % 5) + "] mailbox of <u" + std::to_string(i) +
                              "@example.com> is full, try again in 5 minutes"));
    texts.push_back(Normalise("450 4.2." + std::to_string(i % 3) + " Das Postfach ist voll"));
  }
  return texts;
}

TEST(Trainer, GivesTheSameBytesForTheSameTexts) {
  TokenizerOptions options;
  options.vocabulary = 200;
  EXPECT_EQ(TrainTokenizer(SomeTexts(), options), TrainTokenizer(SomeTexts(), options));
}

TEST(Trainer, KeepsMaskTokensAndCodesAsWholePieces) {
  TokenizerOptions options;
  options.vocabulary = 200;
  const auto encoder = Encoder::Parse(TrainTokenizer(SomeTexts(), options));
  std::set<std::string_view> pieces;
  for (int32_t id = 0; id < encoder->size(); ++id) pieces.insert(encoder->piece(id));
  for (const std::string_view token : kMaskTokens) EXPECT_TRUE(pieces.contains(token)) << token;
  EXPECT_TRUE(pieces.contains("▁5_7_1"));
}

TEST(Trainer, ShrinksTheVocabularyToWhatTheTextsHold) {
  const auto encoder = Encoder::Parse(TrainTokenizer({"mailbox full", "mailbox gone"}, {}));
  EXPECT_LT(encoder->size(), 200);
  EXPECT_GT(encoder->size(), 10);
}

void ExpectInvalid(const std::vector<std::string>& texts, const TokenizerOptions& options,
                   std::string_view message) {
  try {
    TrainTokenizer(texts, options);
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(e.what(), message);
  }
}

TEST(Trainer, SaysWhatIsWrongWithTextsAndOptions) {
  ExpectInvalid({}, {}, "no text to learn from: give one normalised text a line");
  ExpectInvalid({"", ""}, {}, "no text to learn from: give one normalised text a line");
  TokenizerOptions small;
  small.vocabulary = 3;
  ExpectInvalid({"a"}, small, "vocabulary 3 is out of bounds: give 32 to 1000000");
  TokenizerOptions other;
  other.normalisation = "nfd";
  ExpectInvalid({"a"}, other, "normalisation 'nfd': give identity or nmt_nfkc");
}

}  // namespace
}  // namespace rebound
