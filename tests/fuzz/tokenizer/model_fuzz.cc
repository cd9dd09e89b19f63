// A damaged .model is refused with kCorrupt or encodes like any other: it never crashes.
//
// Arguments: how many damaged models.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/fuzz/tokenizer/texts.h"
#include "tests/unit/tokenizer/model_maker.h"
#include "tokenizer/encoder.h"

namespace rebound {
namespace {

size_t models_to_try = 20000;

// True where it could be read.
bool ParseAndEncode(const std::string& model, Random* random) {
  try {
    const auto encoder = Encoder::Parse(model);
    static Encoder::Scratch scratch;  // one for all: none may see another model's words
    std::vector<int32_t> ids;
    for (int i = 0; i < 4; ++i) {
      encoder->Encode(Damage(MakeText(random), random), &scratch, &ids);
      for (const int32_t id : ids) {
        EXPECT_GE(id, 0);
        EXPECT_LT(id, encoder->size());
      }
    }
    return true;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt) << e.what();
    return false;
  }
}

TEST(ModelFuzz, DamagedModelsAreRefusedOrWork) {
  const std::string whole[] = {MakeModel(), MakeModelWithMap()};
  size_t read = 0;
  for (uint64_t seed = 1; seed <= models_to_try; ++seed) {
    Random random(seed);
    std::string model = whole[seed % 2];
    const size_t times = 1 + random.Below(6);
    for (size_t i = 0; i < times; ++i) model = Damage(std::move(model), &random);
    if (random.Below(8) == 0) model.resize(random.Below(model.size() + 1));
    if (ParseAndEncode(model, &random)) ++read;
    if (HasFailure()) FAIL() << "seed " << seed;
  }
  // The test is worth nothing where all are refused at the door.
  EXPECT_GT(read, models_to_try / 20);
}

TEST(ModelFuzz, EveryPrefixOfAModelIsRefusedOrWorks) {
  const std::string model = MakeModelWithMap();
  for (size_t size = 0; size < model.size(); ++size) {
    Random random(size);
    ParseAndEncode(model.substr(0, size), &random);
    if (HasFailure()) FAIL() << "prefix of " << size << " bytes";
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) rebound::models_to_try = std::strtoull(argv[1], nullptr, 10);
  return RUN_ALL_TESTS();
}
