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
