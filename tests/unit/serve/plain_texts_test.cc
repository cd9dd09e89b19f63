#include "serve/plain_texts.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/json.h"
#include "base/random.h"

namespace rebound {
namespace {

std::optional<std::vector<std::string>> Plain(std::string_view body) {
  PlainTexts read;
  if (!ReadPlainTexts(body, &read)) return std::nullopt;
  return std::vector<std::string>(read.texts.begin(), read.texts.end());
}

// What the JSON library finds in a body of one key; nullopt where it finds anything else.
std::optional<std::vector<std::string>> ByLibrary(std::string_view body) {
  try {
    const JsonDocument document = ParseJson(body);
    if (!document.IsObject() || document.MemberCount() != 1) return std::nullopt;
    const JsonValue* const message = FindJson(document, "message");
    if (message != nullptr) return std::vector{std::string(JsonText(*message))};
    return GetJsonStrings(document, "messages");
  } catch (const Error&) {
    return std::nullopt;
  }
}

using Strings = std::vector<std::string>;

TEST(PlainTexts, ReadsOneMessageAndSeveral) {
  PlainTexts one;
  ASSERT_TRUE(ReadPlainTexts(R"({"message":"550 5.1.1 user unknown"})", &one));
  EXPECT_TRUE(one.single);
  PlainTexts several;
  ASSERT_TRUE(ReadPlainTexts(" {\n\"messages\" : [ \"one\" ,\"two\"\t] } \r\n", &several));
  EXPECT_FALSE(several.single);
  EXPECT_EQ(Plain(R"({"message":"550 5.1.1 user unknown"})"), Strings{"550 5.1.1 user unknown"});
  EXPECT_EQ(Plain(R"({"messages":["one","two",""]})"), (Strings{"one", "two", ""}));
  EXPECT_EQ(Plain(R"({"messages":[]})"), Strings());
}

TEST(PlainTexts, ReadsEscapesAsTheyAreMeant) {
  EXPECT_EQ(Plain(R"({"message":"a\r\nb\t\"c\"\\ \/ \b\f \u0041\u00e9\u20AC"})"),
            Strings{"a\r\nb\t\"c\"\\ / \b\f A\xc3\xa9\xe2\x82\xac"});
  EXPECT_EQ(Plain(R"({"messages":["plain","\n","plain","two\n\nlines"]})"),
            (Strings{"plain", "\n", "plain", "two\n\nlines"}));
}

TEST(PlainTexts, LeavesEveryOtherBodyToTheLibrary) {
  for (const char* body : {"",
                           "{}",
                           "[]",
                           "{\"message\"",
                           "{\"message\":",
                           "{\"message\":\"",
                           R"({"message":"no end)",
                           R"({"message":"a"}x)",
                           R"({"message":"a","domain":"b"})",
                           R"({"message":"a","message":"b"})",
                           R"({"domain":"b","message":"a"})",
                           R"({"message":null})",
                           R"({"message":1})",
                           R"({"message":["a"]})",
                           R"({"messages":"a"})",
                           R"({"messages":["a",]})",
                           R"({"messages":["a" "b"]})",
                           R"({"messages":["a",null]})",
                           R"({"messages":["a"})",
                           R"({"messagess":["a"]})",
                           R"({"me\u0073sage":"a"})",
                           R"({"message":"\x"})",
                           R"({"message":"\u12"})",
                           R"({"message":"\u12g4"})",
                           R"({"message":"\ud83d\ude00"})",
                           R"({"message":"\ud800"})",
                           R"({"message":"\)",
                           "{\"message\":\"a\nb\"}",
                           "{\"message\":\"no UTF-8: \xff\"}",
                           "{\"message\":\"cut: \xe2\x82\"}",
                           "\xEF\xBB\xBF{\"message\":\"a\"}"}) {
    EXPECT_EQ(Plain(body), std::nullopt) << body;
  }
}

// Whatever stands in a body: where this reader reads it, the library reads the same.
TEST(PlainTexts, NeverReadsAnythingElseThanTheLibrary) {
  Random random(1);
  const std::vector<std::string> bodies = {
      R"({"message":"550 5.1.1 <a@example.com>: user \"unknown\"\r\n\u00e9 in table"})",
      "{\"messages\":[\"\xc3\xa4\xe2\x82\xac one two three\",\"\\n\",\"x\"]}"};
  constexpr std::string_view kBytes("\"\\{}[],:u0aA\xc3\xa9\x01 \n\0m", 20);
  size_t read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string body = bodies[random.Below(bodies.size())];
    for (size_t changes = random.Below(3); changes > 0; --changes) {
      const size_t at = random.Below(body.size());
      if (random.Below(2) == 0) {
        body[at] = kBytes[random.Below(kBytes.size())];
      } else {
        body.erase(at, 1 + random.Below(4));
      }
      if (body.empty()) body = "{";
    }
    const auto plain = Plain(body);
    if (!plain) continue;
    ++read;
    ASSERT_EQ(plain, ByLibrary(body)) << body;
  }
  EXPECT_GT(read, 10'000U);
}

}  // namespace
}  // namespace rebound
