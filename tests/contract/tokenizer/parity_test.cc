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
#include "tests/unit/tokenizer/model_maker.h"
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

// A traffic of few words and of words that come once, in texts of up to 10,000 bytes: sums of
// scores grow so large that rounding them decides between paths that are nearly as good.
TEST_P(Parity, WordsSeenBeforeHaveTheSameIdsWhereverTheyStand) {
  std::vector<std::string> words;
  for (const std::string& text : corpus_) {
    const std::string canonical = Normalise(text);
    for (const std::string_view word : Split(canonical, ' ')) words.emplace_back(word);
  }
  for (size_t seed = 1; seed <= texts_to_try / 20; ++seed) {
    Random random(~seed);
    const size_t size = random.Below(8) == 0 ? random.Below(10000) : random.Below(600);
    std::string text;
    while (text.size() < size) {
      const std::string& word = words[random.Below(words.size())];
      const size_t kind = random.Below(20);
      if (kind == 0) {
        text.append(1 + random.Below(30), static_cast<char>('a' + random.Below(26)));
      } else if (kind == 1) {
        text += word.substr(0, random.Below(word.size() + 1)) + std::to_string(random.Next());
      } else {
        text += kind == 2 ? Damage(word, &random) : word;
      }
      text += random.Below(30) == 0 ? "  " : " ";
    }
    ExpectSameIds(text);
    if (HasFatalFailure()) return;
  }
}

// Pieces of a small alphabet whose scores are few: most words have several best paths, and the
// library's rounding alone decides between them.
TEST(ParityOfTies, PathsThatAreAsGoodAreChosenAlike) {
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  std::vector<int> expected;
  for (size_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const double step = seed % 2 == 0 ? 0.1 : 0.5;
    std::map<std::string, float> pieces = {{"a", -1.0F}, {"b", -1.0F}};
    for (int i = 0; i < 60; ++i) {
      std::string piece = random.Below(3) == 0 ? "▁" : "";
      for (size_t j = random.Below(5); j > 0; --j) piece += "abcd."[random.Below(5)];
      if (piece.empty()) continue;
      pieces[piece] = static_cast<float>(-step * static_cast<double>(1 + random.Below(40)));
    }
    std::string model = PieceField("<unk>", 0.0F, 2);
    if (seed % 3 == 0) model += PieceField("cab", 0.0F, 4);
    if (seed % 3 == 0) pieces.erase("cab");
    for (const auto& [piece, score] : pieces) model += PieceField(piece, score);
    model += BytesField(2, VarintField(3, 1));
    sentencepiece::SentencePieceProcessor theirs;
    ASSERT_TRUE(theirs.LoadFromSerializedProto(model).ok());
    const auto ours = Encoder::Parse(model);
    for (size_t i = 0; i < texts_to_try / 40; ++i) {
      std::string text;
      for (size_t j = random.Below(random.Below(50) == 0 ? 4000 : 60); j > 0; --j) {
        text += "aaabbbccd.. x"[random.Below(13)];
      }
      ours->Encode(text, &scratch, &ids);
      ASSERT_TRUE(theirs.Encode(text, &expected).ok());
      ASSERT_EQ(ids, std::vector<int32_t>(expected.begin(), expected.end()))
          << "seed " << seed << ": " << text;
    }
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
