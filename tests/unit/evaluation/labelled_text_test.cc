#include "evaluation/labelled_text.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace rebound {
namespace {

const std::vector<std::string> kKeys = {"bnac", "label"};

TEST(LabelledTextTest, ReadsListsPlainStringsAndMissingKeys) {
  const auto rows = ParseLabelledTexts(
      "{\"id\":\"x1\",\"text\":\"a\",\"bnac\":[\"SPF\",\"DMARC\"],\"label\":\"unknown\"}\n"
      "\n"
      "{\"text\":\"b\",\"bnac\":null,\"sure\":false}\n",
      kKeys);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "x1");
  EXPECT_EQ(rows[0].classes.at("bnac"), (std::vector<std::string>{"SPF", "DMARC"}));
  EXPECT_EQ(rows[0].classes.at("label"), std::vector<std::string>{"unknown"});
  EXPECT_TRUE(rows[0].sure);
  EXPECT_EQ(rows[1].id, "3") << "the line number names a row without an id";
  EXPECT_TRUE(rows[1].classes.empty());
  EXPECT_FALSE(rows[1].sure);
}

TEST(LabelledTextTest, SourceAndLanguageAreOptional) {
  const auto rows = ParseLabelledTexts(
      "{\"text\":\"a\",\"source\":\"log:17\",\"lang\":\"de\"}\n{\"text\":\"b\",\"source\":null}",
      kKeys);
  EXPECT_EQ(rows[0].source, "log:17");
  EXPECT_EQ(rows[0].language, "de");
  EXPECT_EQ(rows[1].source, "");
  EXPECT_EQ(rows[1].language, "");
}

TEST(SourceNameTest, IsThePartThatManyRowsShare) {
  EXPECT_EQ(SourceName("acme/parser:eml/1.eml [literal]"), "acme/parser");
  EXPECT_EQ(SourceName("word list [literal]"), "word list");
  EXPECT_EQ(SourceName("https://help.acme.example/en?x=1"), "help.acme.example");
  EXPECT_EQ(SourceName(""), "not said");
}

TEST(ScriptOfTest, IsThatOfTheWordsNotOfAddressesAndCodes) {
  EXPECT_EQ(ScriptOf("550 5.1.1 user unknown"), "Latin");
  EXPECT_EQ(ScriptOf("550 Empfänger unbekannt"), "Latin with accents");
  EXPECT_EQ(ScriptOf("550 5.1.1 <ann@acme.example>: пользователь не найден"), "Cyrillic");
  EXPECT_EQ(ScriptOf("550 该用户不存在"), "Han");
  EXPECT_EQ(ScriptOf("宛先が見つかりません"), "Japanese");
  EXPECT_EQ(ScriptOf("받는 사람을 찾을 수 없습니다"), "Hangul");
  EXPECT_EQ(ScriptOf("550 5.1.1"), "other");
}

TEST(LabelledTextTest, AnErrorNamesTheLine) {
  const auto message = [](std::string_view jsonl) {
    try {
      ParseLabelledTexts(jsonl, kKeys);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return std::string(e.what());
    }
    return std::string("read");
  };
  EXPECT_EQ(message("{\"text\":\"a\"}\n{}"), "line 2: key 'text' is missing");
  EXPECT_EQ(message("{\"text\":\"a\",\"bnac\":[1]}"),
            "line 1: key 'bnac' holds something that is not a string");
  EXPECT_EQ(message("{\"text\":\"a\",\"bnac\":7}"), "line 1: key 'bnac' is not an array");
  EXPECT_EQ(message("{\"text\":\"a\",\"sure\":1}"), "line 1: key 'sure' is not true or false");
  EXPECT_EQ(message("[]"), "line 1: key 'text' is asked of a value that is no JSON object");
}

}  // namespace
}  // namespace rebound
