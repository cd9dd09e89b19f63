#include "models/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"

namespace rebound {
namespace {

std::string FileOf(const std::string& header, size_t data_bytes) {
  std::string file(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\0');
}

std::string ErrorOf(const std::string& file) {
  try {
    ParseSafetensors(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

const std::vector<float> kSix = {1, -2, 3.5F, 0, 1e-30F, 6};
const std::vector<float> kTwo = {7, 8};

std::string GoodFile() {
  return MakeSafetensors({{"b", {{2}, kTwo}}, {"a", {{2, 3}, kSix}}}, {{"task", "bnac"}});
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const std::string file = GoodFile();
  const TensorMap tensors = ParseSafetensors(file);
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors.at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(std::equal(kSix.begin(), kSix.end(), tensors.at("a").values.begin()));
  EXPECT_EQ(tensors.at("a").values.size(), 6U);
  EXPECT_EQ(tensors.at("b").shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(tensors.at("b").values[1], 8.0F);
}

TEST(Safetensors, WritesTheSameBytesForTheSameTensors) { EXPECT_EQ(GoodFile(), GoodFile()); }

TEST(Safetensors, WritesThePublicFormatWithDataOnA64ByteBorder) {
  const std::string file = GoodFile();
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  EXPECT_EQ((8 + length) % 64, 0U);
  EXPECT_EQ(file.size(), 8 + length + 8 * sizeof(float));
  const std::string header = file.substr(8, length);
  EXPECT_EQ(header.substr(0, header.find_last_not_of(' ') + 1),
            R"({"__metadata__":{"task":"bnac"},)"
            R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
            R"("b":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})");
}

TEST(Safetensors, HoldsScalarsEmptyTensorsAndNoTensors) {
  const std::vector<float> one = {5};
  const std::string file = MakeSafetensors({{"scalar", {{}, one}}, {"empty", {{0, 4}, {}}}}, {});
  const TensorMap tensors = ParseSafetensors(file);
  EXPECT_EQ(tensors.at("scalar").values[0], 5.0F);
  EXPECT_TRUE(tensors.at("empty").values.empty());
  EXPECT_TRUE(ParseSafetensors(MakeSafetensors({}, {})).empty());
}

TEST(Safetensors, RefusesToWriteAShapeThatIsNotTheValues) {
  EXPECT_THROW(MakeSafetensors({{"a", {{7}, kSix}}}, {}), Error);
}

TEST(Safetensors, RefusesEveryCutOfAFile) {
  const std::string file = GoodFile();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(ParseSafetensors(file.substr(0, size)), Error) << size;
  }
}

TEST(Safetensors, NeverReadsBeyondAFileOfAnyFlippedBit) {
  const std::string file = GoodFile();
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    try {
      float sum = 0;
      for (const auto& [name, tensor] : ParseSafetensors(damaged)) {
        for (const float value : tensor.values) sum += value;
      }
      volatile float kept = sum;
      (void)kept;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
    }
  }
}

TEST(Safetensors, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorOf("abc"), "safetensors: the file has 3 bytes, too few for a header");
  EXPECT_EQ(ErrorOf(std::string(8, '\xff')),
            "safetensors: the header of 18446744073709551615 bytes runs beyond the file's 8 bytes: "
            "the file is cut");
  EXPECT_EQ(ErrorOf(FileOf("[]", 0)), "safetensors: the header is no JSON object");
  EXPECT_EQ(
      ErrorOf(FileOf("{", 0)),
      "safetensors: the header is damaged: JSON at byte 1: Missing a name for object member.");
  EXPECT_EQ(ErrorOf(FileOf(R"({"__metadata__":{"a":1}})", 0)),
            "safetensors: __metadata__ may hold strings only");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":[]})", 0)), "safetensors: tensor 'a' is no JSON object");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", 2)),
            "safetensors: tensor 'a' has dtype 'F16', expected F32");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4)),
            "safetensors: the header is damaged: key 'shape' is missing");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4)),
            "safetensors: tensor 'a' has a shape that is no list of integers");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4)),
            "safetensors: tensor 'a' has data_offsets that are not two unsigned integers");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4)),
            "safetensors: tensor 'a' has a shape whose product is negative or overflows");
  EXPECT_EQ(
      ErrorOf(FileOf(
          R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0)),
      "safetensors: tensor 'a' has a shape whose product is negative or overflows");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4)),
            "safetensors: tensor 'a' has a shape of 8 bytes and data_offsets from 0 to 4");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4)),
            "safetensors: tensor 'a' ends at byte 8 of 4 bytes of data: the file is cut");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 6)),
            "safetensors: the data has 2 bytes that belong to no tensor");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8)),
            "safetensors: tensor 'a' leaves a hole of 4 bytes before it");
  EXPECT_EQ(ErrorOf(FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                           8)),
            "safetensors: tensor 'b' overlaps the one before it");
}

TEST(Safetensors, RefusesATensorThatStandsThereTwice) {
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                       R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})";
  while ((8 + header.size()) % 64 != 0) header += ' ';
  EXPECT_EQ(ErrorOf(FileOf(header, 8)), "safetensors: tensor 'a' stands there twice");
}

TEST(Safetensors, RefusesDataThatIsNotAligned) {
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  while ((8 + header.size()) % 4 != 1) header += ' ';
  EXPECT_EQ(ErrorOf(FileOf(header, 4)),
            "safetensors: the data does not start on a border of 4 bytes: pad the header with "
            "spaces");
}

}  // namespace
}  // namespace rebound
