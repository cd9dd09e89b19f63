#include "tokenizer/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/unit/tokenizer/model_maker.h"

namespace rebound {
namespace {

std::string Pieces(const Encoder& encoder, std::string_view text) {
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  encoder.Encode(text, &scratch, &ids);
  std::string out;
  for (const int32_t id : ids) {
    if (!out.empty()) out += '|';
    out += encoder.piece(id);
  }
  return out;
}

void ExpectCorrupt(const std::string& model, std::string_view message) {
  try {
    Encoder::Parse(model);
    ADD_FAILURE() << "was read; expected: " << message;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
    EXPECT_EQ(e.what(), "tokenizer model: " + std::string(message) +
                            "; make it again with rebound-tokenizer");
  }
}

TEST(Encoder, TakesTheBestPath) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, "mailbox full"), "▁mailbox|▁full");
  EXPECT_EQ(Pieces(*encoder, "  mailbox   full "), "▁mailbox|▁full");
  EXPECT_EQ(Pieces(*encoder, "fullmailbox"), "▁full|mail|box");
}

TEST(Encoder, JoinsARunOfUnknownCharacters) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder,
                   "mail\xe6\x94\xb6\xe4\xbb\xb6"
                   "box"),
            "▁|mail|<unk>|box");
  EXPECT_EQ(Pieces(*encoder, "\xff\xff"), "▁|<unk>");
}

TEST(Encoder, KeepsUserDefinedSymbolsWhole) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, "a __num____num__x"), "▁|a|▁|__num__|__num__|x");
}

TEST(Encoder, NeverTakesAnUnusedPiece) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, "unused").find("unused"), std::string::npos);
}

TEST(Encoder, GivesNothingForBlankText) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, ""), "");
  EXPECT_EQ(Pieces(*encoder, "   "), "");
}

TEST(Encoder, AppliesTheModelsNormalisationMap) {
  const auto encoder = Encoder::Parse(MakeModelWithMap());
  EXPECT_EQ(Pieces(*encoder, "MAil"), "▁|<unk>|a|i|l");
  EXPECT_EQ(Pieces(*encoder, "\xef\xac\x81"), "▁|f|i");
}

TEST(Encoder, SaysWhatIsWrongWithAModel) {
  ExpectCorrupt("", "no pieces in it");
  ExpectCorrupt("\x07", "not a SentencePiece model (field number 0)");
  ExpectCorrupt("not a model", "not a SentencePiece model (wire type 6)");
  ExpectCorrupt(MakeModel().substr(0, 10), "cut short (a field runs beyond the end)");
  ExpectCorrupt(MakeModel() + BytesField(2, VarintField(3, 2)), "not unigram (type 2)");
  ExpectCorrupt(MakeModel() + BytesField(2, VarintField(35, 1)),
                "uses byte fallback, which is not supported");
  ExpectCorrupt(PieceField("a", -1.0F), "no unknown piece");
  ExpectCorrupt(PieceField("<unk>", 0.0F, 2), "no pieces of text in it");
  ExpectCorrupt(MakeModel() + PieceField("<unk2>", 0.0F, 2), "two unknown pieces");
  ExpectCorrupt(MakeModel() + PieceField("mail", -1.0F), "piece 'mail' stands in it twice");
  ExpectCorrupt(MakeModel() + BytesField(1, BytesField(1, "z")), "piece 21 has no score");
  ExpectCorrupt(MakeModel() + PieceField("z", std::numeric_limits<float>::quiet_NaN()),
                "piece 21 has no finite score");
  ExpectCorrupt(MakeModel() + PieceField("", -1.0F), "piece 21 is empty");
  ExpectCorrupt(MakeModel() + PieceField("\xff", -1.0F), "piece 21 is no UTF-8");
  ExpectCorrupt(MakeModel() + PieceField(std::string(5000, 'x'), -1.0F),
                "piece 21 is longer than 4096 bytes");
  ExpectCorrupt(MakeModel() + BytesField(3, BytesField(2, "abc")),
                "its normalisation map is cut short");
}

TEST(Encoder, GivesTheSameForAWordSeenBefore) {
  const auto encoder = Encoder::Parse(MakeModel());
  Encoder::Scratch scratch;
  std::vector<int32_t> first;
  std::vector<int32_t> again;
  for (const std::string_view text :
       {"mailbox full", "full full mailbox full", "a b a b", "mail\xe6\x94\xb6 box",
        "__num__ a __num__ mailboxmailboxmailboxmailbox full",
        "\xc3\xa9\xe6\x94\xb6 \xe6\x94\xb6"}) {
    encoder->Encode(text, &scratch, &first);
    encoder->Encode(text, &scratch, &again);
    EXPECT_EQ(again, first) << text;
  }
}

TEST(Encoder, SharesItsScratchWithOtherEncoders) {
  const auto encoder = Encoder::Parse(MakeModel());
  const auto other = Encoder::Parse(PieceField("<unk>", 0.0F, 2) + PieceField("x", -1.0F) +
                                    BytesField(2, VarintField(3, 1)));
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  for (int i = 0; i < 3; ++i) {
    encoder->Encode("mailbox", &scratch, &ids);
    EXPECT_EQ(ids, std::vector<int32_t>{3});
    other->Encode("mailbox", &scratch, &ids);
    EXPECT_EQ(ids, (std::vector<int32_t>{0, 1}));
  }
}

TEST(Encoder, TellsWordsThatDifferInANulApart) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, std::string_view("full full\0 full", 15)), "▁full|▁full|<unk>|▁full");
}

TEST(Encoder, SeesWordsThroughTheSpacesOwnSymbol) {
  const auto encoder = Encoder::Parse(MakeModel());
  EXPECT_EQ(Pieces(*encoder, "full▁mailbox full▁"), "▁full|▁mailbox|▁full");
  EXPECT_EQ(Pieces(*encoder, "full full▁▁"), "▁full|▁full");
}

TEST(Encoder, EncodesTextsWholeWhereAPieceJoinsWords) {
  const auto encoder = Encoder::Parse(MakeModel() + PieceField("a▁b", -1.0F));
  EXPECT_EQ(Pieces(*encoder, "a b"), "▁|a▁b");
  EXPECT_EQ(Pieces(*encoder, "a b"), "▁|a▁b");
}

TEST(Encoder, ServesManyThreadsWithOneScratchEach) {
  const auto encoder = Encoder::Parse(MakeModel());
  Encoder::Scratch first;
  Encoder::Scratch second = std::move(first);
  std::vector<int32_t> ids;
  encoder->Encode("mailbox", &second, &ids);
  EXPECT_EQ(ids.size(), 1U);
}

}  // namespace
}  // namespace rebound
