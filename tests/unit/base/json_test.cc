#include "base/json.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace rebound {
namespace {

std::string ErrorOf(std::string_view text) {
  try {
    ParseJson(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

TEST(JsonTest, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(ErrorOf(R"({"a":1 "b":2})"),
            "JSON at byte 7: Missing a comma or '}' after an object member.");
  EXPECT_EQ(ErrorOf(""), "JSON at byte 0: The document is empty.");
  EXPECT_NE(ErrorOf("{} x"), "");
  EXPECT_NE(ErrorOf("\"\xff\""), "") << "invalid UTF-8";
  EXPECT_NE(ErrorOf("NaN"), "");
}

TEST(JsonTest, SurvivesDeepNesting) {
  EXPECT_NO_THROW(ParseJson(std::string(100000, '[') + std::string(100000, ']')));
  EXPECT_NE(ErrorOf(std::string(1000000, '[')), "");
}

TEST(JsonTest, NamesTheKeyThatIsMissingOrOfAnotherType) {
  const JsonDocument document = ParseJson(R"({"n":1,"s":"x","l":["a",2]})");
  const auto message = [](auto call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message([&] { GetJsonString(document, "n"); }), "key 'n' is not a string");
  EXPECT_EQ(message([&] { GetJsonInt(document, "missing"); }), "key 'missing' is missing");
  EXPECT_EQ(message([&] { GetJsonStrings(document, "l"); }),
            "key 'l' holds something that is not a string");
  EXPECT_EQ(message([&] { GetJsonInt(ParseJson("[]"), "x"); }),
            "key 'x' is asked of a value that is no JSON object");
  EXPECT_NE(message([&] { document["s"].GetInt(); }), "") << "a wrong type is an Error, no abort";
}

TEST(JsonTest, KeepsTheOrderOfKeysWhenWriting) {
  std::string out;
  JsonWriter writer(&out);
  writer.Object([](JsonWriter& w) {
    w.Key("class").String("SPF");
    w.Key("probability").Float(0.95663047F);
    w.Key("fields").Array([](JsonWriter&) {});
    w.Key("text").String("quote \" back \\ line \n ü");
  });
  EXPECT_EQ(
      out,
      R"({"class":"SPF","probability":0.95663047,"fields":[],"text":"quote \" back \\ line \n ü"})");
}

TEST(JsonTest, AProbabilityReadsBackToTheSameFloat) {
  for (float p = 1e-9F; p < 1.0F; p *= 1.0137F) {
    std::string out;
    JsonWriter(&out).Float(p);
    float back = 0;
    std::from_chars(out.data(), out.data() + out.size(), back);
    ASSERT_EQ(back, p) << out;
    ASSERT_EQ(static_cast<float>(ParseJson(out).GetDouble()), p);
  }
  std::string out;
  JsonWriter(&out).Float(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(out, "null");
}

}  // namespace
}  // namespace rebound
