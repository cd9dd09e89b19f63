#include "base/error.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/log.h"

namespace rebound {
namespace {

TEST(ErrorTest, CarriesItsCodeAndItsMessage) {
  const Error error(ErrorCode::kNotFound, "no bundle 7 of task bnac");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_STREQ(error.what(), "no bundle 7 of task bnac");
  EXPECT_EQ(ErrorCodeName(error.code()), "not_found");
}

TEST(DigestTest, IsSha256) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(StableHash("abc"), 0xba7816bf8f01cfeaULL);
  Sha256 digest;
  digest.Update("a");
  digest.Update("bc");
  EXPECT_EQ(digest.FinishHex(), Sha256Hex("abc"));
}

TEST(DigestTest, ComparesInConstantTimeWhateverTheLengths) {
  EXPECT_TRUE(EqualInConstantTime("secret", "secret"));
  EXPECT_FALSE(EqualInConstantTime("secret", "secret2"));
  EXPECT_FALSE(EqualInConstantTime("", "secret"));
  EXPECT_TRUE(EqualInConstantTime("", ""));
}

TEST(LogTest, KnowsItsLevelsAndRefusesOthers) {
  EXPECT_EQ(ParseLogLevel("warning"), LogLevel::kWarning);
  try {
    ParseLogLevel("loud");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "log level 'loud' is not one of debug, info, warning, error");
  }
}

TEST(LogTest, WritesOneLineWhateverTheValuesHold) {
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "model loaded", {{"task", "bnac"}, {"why", "two\nlines \"quoted\" \xff"}});
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(
      line.find(" info model loaded task=bnac why=\"two\\nlines \\\"quoted\\\" \xef\xbf\xbd\"\n"),
      std::string::npos)
      << line;
}

}  // namespace
}  // namespace rebound
