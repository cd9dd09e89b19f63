#include "train/piece_table.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/bundles.h"

namespace rebound {
namespace {

class PieceTableTest : public testing::Test {
 protected:
  int32_t IdOf(std::string_view piece) const {
    for (int32_t id = 0; id < encoder_->size(); ++id) {
      if (encoder_->piece(id) == piece) return id;
    }
    ADD_FAILURE() << "no piece " << piece;
    return 0;
  }

  std::shared_ptr<const Encoder> encoder_ = Encoder::Parse(test::MakeTestTokenizer());
  PieceTable table_{*encoder_};
};

TEST_F(PieceTableTest, EverySplitIsThePieceInTwo) {
  size_t with_splits = 0;
  for (int32_t id = 0; id < encoder_->size(); ++id) {
    for (const auto& [left, right] : table_.splits(id)) {
      EXPECT_EQ(std::string(encoder_->piece(left)) + std::string(encoder_->piece(right)),
                encoder_->piece(id));
    }
    with_splits += table_.splits(id).empty() ? 0 : 1;
  }
  EXPECT_GT(with_splits, 0u);
}

TEST_F(PieceTableTest, MasksAreNeverSplit) { EXPECT_TRUE(table_.splits(IdOf("__host__")).empty()); }

TEST_F(PieceTableTest, PiecesWithADigitAreKnown) {
  EXPECT_TRUE(table_.has_digit(IdOf("5")));
  EXPECT_FALSE(table_.has_digit(IdOf("a")));
}

}  // namespace
}  // namespace rebound
