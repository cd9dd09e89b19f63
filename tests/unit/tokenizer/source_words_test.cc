// Where the words of a canonical form came from. tests/fuzz/tokenizer/spans_fuzz.cc holds the rules
// on texts of every kind.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// "5_1_1=5.1.1": each word and the bytes that it stands for.
std::vector<std::string> WordsOf(std::string_view text) {
  std::string out;
  std::vector<SourceWord> words;
  NormaliseWithSpans(text, &out, &words);
  EXPECT_EQ(out, Normalise(text));
  std::vector<std::string> all;
  for (const SourceWord& word : words) {
    all.push_back(out.substr(word.begin, word.end - word.begin) + "=" +
                  std::string(text.substr(word.from, word.to - word.from)));
  }
  return all;
}

using Words = std::vector<std::string>;

TEST(SourceWords, AreTheWordsAsTheyStandInTheText) {
  EXPECT_EQ(WordsOf("550 5.1.1  User, UNKNOWN!"),
            (Words{"550=550", "5_1_1=5.1.1", "user=User", "unknown=UNKNOWN"}));
  EXPECT_EQ(WordsOf(""), Words{});
  EXPECT_EQ(WordsOf(" .\r\n"), Words{});
}

TEST(SourceWords, OfATokenAreTheWholeThingThatIsMasked) {
  EXPECT_EQ(WordsOf("<Jane.Doe@example.com>: full"),
            (Words{"__email__=Jane.Doe@example.com", "full=full"}));
  EXPECT_EQ(WordsOf("using zen.spamhaus.org"),
            (Words{"using=using", "__host__=zen.spamhaus.org", "spamhaus=zen.spamhaus.org"}));
  EXPECT_EQ(WordsOf("in 300 seconds"), (Words{"in=in", "__duration__=300 seconds"}));
  EXPECT_EQ(WordsOf("of 25MB"), (Words{"of=of", "__num__=25MB", "mb=25MB"}));
}

TEST(SourceWords, OfAPageAreItsNameInsideTheAddress) {
  const std::string url = "https://support.google.com/mail/?p=NoSuchUser";
  EXPECT_EQ(WordsOf("see " + url),
            (Words{"see=see", "__url__=" + url, "google=" + url, "nosuchuser=NoSuchUser"}));
}

TEST(SourceWords, OfAReplyOfSeveralLinesLeaveOutTheCodesThatAreRepeated) {
  EXPECT_EQ(WordsOf("550-5.7.1 not\r\n550 5.7.1 allowed"),
            (Words{"550=550", "5_7_1=5.7.1", "not=not", "allowed=allowed"}));
}

TEST(SourceWords, KeepCharactersWhole) {
  EXPECT_EQ(WordsOf("Empfänger ÜBERLASTET, don’t"),
            (Words{"empfänger=Empfänger", "überlastet=ÜBERLASTET", "don't=don’t"}));
  EXPECT_EQ(WordsOf("收件人 不存在"), (Words{"收件人=收件人", "不存在=不存在"}));
  EXPECT_EQ(WordsOf("ΧΡΉΣΤΗΣ"), (Words{"χρήστησ=ΧΡΉΣΤΗΣ"}));
  EXPECT_EQ(WordsOf("İade Ⱥ!"), (Words{"iade=İade", "ⱥ=Ⱥ"}));  // other lengths in lower case
}

TEST(SourceWords, SkipBytesThatAreNoUtf8AndEntities) {
  EXPECT_EQ(WordsOf("user\xff unknown"), (Words{"user=user", "unknown=unknown"}));
  EXPECT_EQ(WordsOf("&lt;user&gt; unknown"), (Words{"user=user", "unknown=unknown"}));
}

TEST(SourceWords, OfJoinedWordsAreApart) {
  EXPECT_EQ(WordsOf("user_unknown __x"), (Words{"user=user", "unknown=unknown", "x=x"}));
  EXPECT_EQ(WordsOf("OFR_506"), (Words{"ofr_506=OFR_506"}));
}

TEST(SourceWords, EndWhereTheTextIsCut) {
  const std::string text = std::string(kMaxTextBytes - 5, '.') + " user unknown";
  EXPECT_EQ(WordsOf(text), (Words{"user=user"}));
}

}  // namespace
}  // namespace rebound
