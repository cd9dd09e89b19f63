// Our encoder gives libsentencepiece's ids, token for token: on bounce texts of many languages, on
// every seed template, and on generated and damaged texts. A program of its own, since
// libsentencepiece may not meet LibTorch.
//
// Arguments: how many generated texts for each of the models.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tests/fuzz/tokenizer/texts.h"
#include "tokenizer/encoder.h"
#include "tokenizer/normaliser.h"
#include "tokenizer/trainer.h"

namespace rebound {
namespace {

size_t texts_to_try = 50000;

// The texts of every seed template, as they stand.
std::vector<std::string> ReadTemplates() {
  std::vector<std::string> texts;
  const char* source = std::getenv("REBOUND_SOURCE");
  const std::filesystem::path folder =
      std::filesystem::path(source == nullptr ? "." : source) / "labelstore/seed/templates";
  if (!std::filesystem::exists(folder)) return texts;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".tsv") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const std::string bytes = ReadFile(file);
    for (const std::string_view line : Split(bytes, '\n')) {
      const size_t tab = line.rfind('\t');
      if (tab != std::string_view::npos) texts.emplace_back(line.substr(tab + 1));
    }
  }
  return texts;
}

std::vector<std::string> MakeCorpus() {
  std::vector<std::string> texts = {
      "550 5.1.1 <user@example.com>: Recipient address rejected: User unknown",
      "552 5.2.2 Das Postfach des Empfängers ist voll und kann keine Nachrichten annehmen",
      "550 Boîte aux lettres pleine, veuillez réessayer plus tard",
      "550 Пользователь не найден: почтовый ящик переполнен",
      "550 收件人不存在 邮箱已满 请稍后再试",
      "550 メールボックスがいっぱいです 受信者が見つかりません",
      "550 받는 사람 주소를 찾을 수 없습니다",
      "550 المستخدم غير موجود",
      "550 Ο χρήστης δεν βρέθηκε",
      "550 ไม่พบผู้รับ",
      "421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred"};
  for (const std::string& text : ReadTemplates()) texts.push_back(text);
  Random random(7);
  for (int i = 0; i < 2000; ++i) texts.push_back(MakeText(&random));
  return texts;
}

// One model in both libraries, made once.
struct Pair {
  explicit Pair(const std::string& normalisation) : corpus(MakeCorpus()) {
    std::vector<std::string> canonical;
    for (const std::string& text : corpus) canonical.push_back(Normalise(text));
    TokenizerOptions options;
    options.vocabulary = 2000;
    options.normalisation = normalisation;
    const std::string model = TrainTokenizer(canonical, options);
    loaded = theirs.LoadFromSerializedProto(model).ok();
    ours = Encoder::Parse(model);
  }

  std::vector<std::string> corpus;
  sentencepiece::SentencePieceProcessor theirs;
  bool loaded = false;
  std::shared_ptr<const Encoder> ours;
};

Pair& PairOf(const std::string& normalisation) {
  static std::map<std::string, Pair> pairs;
  return pairs.try_emplace(normalisation, normalisation).first->second;
}

class Parity : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ASSERT_TRUE(pair_.loaded); }

  void ExpectSameIds(const std::string& text) {
    ours_->Encode(text, &scratch_, &ids_);
    std::vector<int> expected;
    ASSERT_TRUE(theirs_.Encode(text, &expected).ok());
    ASSERT_EQ(ids_, std::vector<int32_t>(expected.begin(), expected.end())) << text;
  }

  Pair& pair_ = PairOf(GetParam());
  const std::vector<std::string>& corpus_ = pair_.corpus;
  sentencepiece::SentencePieceProcessor& theirs_ = pair_.theirs;
  std::shared_ptr<const Encoder> ours_ = pair_.ours;
  Encoder::Scratch scratch_;
  std::vector<int32_t> ids_;
};

TEST_P(Parity, TheVocabularyIsTheSame) {
  ASSERT_EQ(ours_->size(), theirs_.GetPieceSize());
  EXPECT_EQ(ours_->unknown_id(), theirs_.unk_id());
  for (int id = 0; id < ours_->size(); ++id) EXPECT_EQ(ours_->piece(id), theirs_.IdToPiece(id));
}

TEST_P(Parity, EveryMaskTokenIsOnePiece) {
  for (const std::string_view token : kMaskTokens) {
    ours_->Encode("x" + std::string(token), &scratch_, &ids_);
    ASSERT_FALSE(ids_.empty());
    EXPECT_EQ(ours_->piece(ids_.back()), token);
  }
}

TEST_P(Parity, EveryTextOfTheCorpusHasTheSameIdsRawAndNormalised) {
  for (const std::string& text : corpus_) {
    ExpectSameIds(text);
    ExpectSameIds(Normalise(text));
    if (HasFatalFailure()) return;
  }
}

TEST_P(Parity, OddTextsHaveTheSameIds) {
  const std::string_view odd[] = {
      "",
      " ",
      "   ",
      "\t\n",
      "a",
      " a ",
      "a  b",
      "▁",
      "▁▁a▁",
      "__num__",
      "__num____id__",
      "x__num__y",
      "_",
      "__",
      "__nu",
      "\xff",
      "\xff\xfe a",
      "e\xcc\x81",
      "a\xcc\x88"
      "b",
      "ﬁ",
      "Ａ１",
      "㍿",
      "½",
      "\xe3\x80\x80x\xe3\x80\x80",
      "\xc2\xa0",
      "\xe2\x80\x8b",
      "\xed\xa0\x80",
      "\xf4\x90\x80\x80",
      "\xc0\xaf",
      "\xe2\x96",
      "𝔘𝔫𝔦",
      "🙂🙂 🙂",
      "\x01\x02 a",
      "ｶﾞ",
      "가",
      "\xef\xbb\xbf"
      "a",
      "İI",
  };
  for (const std::string_view text : odd) ExpectSameIds(std::string(text));
  ExpectSameIds(std::string("a\0b", 3));
  ExpectSameIds(std::string("\0", 1));
  ExpectSameIds(std::string(20000, 'x'));
  ExpectSameIds(std::string(20000, ' '));
}

TEST_P(Parity, GeneratedAndDamagedTextsHaveTheSameIds) {
  for (size_t seed = 1; seed <= texts_to_try; ++seed) {
    Random random(seed);
    std::string text;
    switch (seed % 4) {
      case 0:
        text = MakeText(&random);
        break;
      case 1:
        text = Normalise(MakeText(&random));
        break;
      case 2:
        text = Damage(MakeText(&random), &random);
        break;
      default:
        text = Damage(corpus_[random.Below(corpus_.size())], &random);
    }
    ExpectSameIds(text);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::Values("identity", "nmt_nfkc"));

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) rebound::texts_to_try = std::strtoull(argv[1], nullptr, 10);
  return RUN_ALL_TESTS();
}
