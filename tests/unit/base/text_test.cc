#include "base/text.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

TEST(TextTest, RepairsEveryInvalidByteAndNothingElse) {
  EXPECT_EQ(RepairUtf8("plain"), "plain");
  EXPECT_EQ(RepairUtf8("größe 容量"), "größe 容量");
  EXPECT_EQ(RepairUtf8("a\xff"
                       "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(RepairUtf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate";
  EXPECT_EQ(RepairUtf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "an overlong form";
  EXPECT_EQ(RepairUtf8("\xe4\xbd"), "\xef\xbf\xbd\xef\xbf\xbd") << "a truncated character";
  EXPECT_EQ(RepairUtf8("\xf4\x90\x80\x80").size(), 12u) << "above U+10FFFF";
}

TEST(TextTest, WhatWasRepairedIsValid) {
  std::string all;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char bytes[] = {static_cast<char>(a), static_cast<char>(b), 'x', '\xe4'};
      const std::string repaired = RepairUtf8({bytes, sizeof bytes});
      EXPECT_TRUE(IsValidUtf8(repaired));
    }
  }
}

TEST(TextTest, RoundTripsEveryCodePoint) {
  for (char32_t c = 1; c <= 0x10ffff; c += 7) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    std::string text;
    AppendUtf8(c, &text);
    const CodePoint back = DecodeUtf8(text);
    ASSERT_TRUE(back.valid);
    ASSERT_EQ(back.value, c);
    ASSERT_EQ(back.bytes, text.size());
  }
}

TEST(TextTest, CutsOnACodePointBorder) {
  EXPECT_EQ(CutUtf8("größe", 3), "gr");
  EXPECT_EQ(CutUtf8("größe", 4), "grö");
  EXPECT_EQ(CutUtf8("größe", 100), "größe");
  EXPECT_EQ(CutUtf8("容", 2), "");
}

TEST(TextTest, LowersBeyondAscii) {
  EXPECT_EQ(LowerCase(U'Ä'), U'ä');
  EXPECT_EQ(LowerCase(U'Я'), U'я');
  EXPECT_EQ(LowerCase(U'Z'), U'z');
  EXPECT_EQ(LowerCase(U'容'), U'容');
  EXPECT_EQ(LowerUtf8("ÄRGER mit Я 容"), "ärger mit я 容");
}

TEST(TextTest, TrimsUnicodeBlanks) {
  EXPECT_EQ(Trim(" \t\r\n 550 x \xc2\xa0\xe3\x80\x80"), "550 x");
  EXPECT_EQ(Trim("\xe2\x80\x83\xe3\x80\x80"), "");
  EXPECT_EQ(Trim(""), "");
  EXPECT_EQ(Trim("\x80 x \x80"), "\x80 x \x80") << "bad bytes are text";
}

TEST(TextTest, SplitsKeepingEmptyParts) {
  const std::vector<std::string_view> wanted = {"a", "", "b", ""};
  EXPECT_EQ(Split("a,,b,", ','), wanted);
}

}  // namespace
}  // namespace rebound
