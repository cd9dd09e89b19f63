#include "labelstore/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "labelstore/wrappers.h"

namespace rebound {
namespace {

const SlotLists& Lists() {
  static const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  return lists;
}

// All that a noise makes of a text over 200 draws.
std::set<std::string> Made(std::string_view name, const std::string& text) {
  std::set<std::string> made;
  for (const Noise& noise : NoiseTable()) {
    if (noise.name != name) continue;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      Random random(seed);
      Scene scene(Lists(), &random);
      NoiseContext context{&random, &scene};
      std::string copy = text;
      noise.function(context, &copy);
      made.insert(copy);
    }
  }
  return made;
}

using Texts = std::set<std::string>;

TEST(Noise, DropReplyCodeTakesItFromEveryLine) {
  EXPECT_EQ(Made("drop_reply_code", "550-5.1.1 no such\n550 5.1.1 user"),
            Texts{"5.1.1 no such\n5.1.1 user"});
  EXPECT_EQ(Made("drop_reply_code", "user unknown 550"), Texts{"user unknown 550"});
}

TEST(Noise, DropEnhancedCodeLeavesTheReplyCodeAndAddresses) {
  EXPECT_EQ(Made("drop_enhanced_code", "550-5.1.1 no such\n550 5.1.1 user"),
            Texts{"550-no such\n550 user"});
  EXPECT_EQ(Made("drop_enhanced_code", "550 5.1.1.7 is listed"), Texts{"550 5.1.1.7 is listed"});
}

TEST(Noise, ReplaceReplyCodeNeverSwapsPassingAndLasting) {
  for (const std::string& text : Made("replace_reply_code", "450-4.2.0 a\n450 4.2.0 b")) {
    EXPECT_EQ(text.front(), '4') << text;
    EXPECT_EQ(text.substr(0, 3), text.substr(12, 3)) << text;
  }
  EXPECT_EQ(Made("replace_reply_code", "550 no").size(), 5u);
  EXPECT_EQ(Made("replace_reply_code", "250 ok"), Texts{"250 ok"});
}

TEST(Noise, ReplaceEnhancedCodeIsBluntOrWrongAndKeepsItsClass) {
  EXPECT_EQ(Made("replace_enhanced_code", "550 5.1.1 no"),
            (Texts{"550 5.0.0 no", "550 5.1.0 no", "550 5.2.0 no", "550 5.3.0 no", "550 5.5.0 no",
                   "550 5.7.1 no"}));
  for (const std::string& text : Made("replace_enhanced_code", "450-4.2.2 a\n450 4.2.2 b")) {
    EXPECT_EQ(text.substr(4, 5), text.substr(16, 5)) << "one code in all lines: " << text;
    EXPECT_EQ(text[4], '4') << text;
  }
  EXPECT_EQ(Made("replace_enhanced_code", "550 no"), Texts{"550 no"});
}

TEST(Noise, MultiLineSplitsAReplyAsServersDo) {
  const Texts made = Made("multi_line", "550 5.1.1 one two three four five six");
  EXPECT_EQ(made.count("550-5.1.1 one two\n550 5.1.1 three four five six"), 1u);
  EXPECT_EQ(made.count("550-5.1.1 one two 550 5.1.1 three four five six"), 1u);
}

TEST(Noise, MultiLineJoinsWhatHasLinesAlready) {
  EXPECT_EQ(Made("multi_line", "550-a\n550 b"), (Texts{"550-a 550 b", "550-a\r\n550 b"}));
}

TEST(Noise, TruncateKeepsMostOfALongTextAndAllOfAShortOne) {
  const std::string longer = "one two three four five six seven eight nine ten";
  for (const std::string& text : Made("truncate", longer)) {
    EXPECT_EQ(text.find("one two three four five"), 0u) << text;
    EXPECT_LT(text.size(), longer.size() + 3);
  }
  EXPECT_EQ(Made("truncate", "550 mailbox full"), Texts{"550 mailbox full"});
}

TEST(Noise, CutFirstWordsTakesUpToThree) {
  EXPECT_EQ(Made("cut_first_words", "a b c d e f g h i j"),
            (Texts{"b c d e f g h i j", "c d e f g h i j", "d e f g h i j"}));
}

TEST(Noise, CaseChangesTheWholeText) {
  EXPECT_EQ(Made("upper_case", "550 User"), Texts{"550 USER"});
  EXPECT_EQ(Made("lower_case", "550 User"), Texts{"550 user"});
}

TEST(Noise, HtmlEntitiesAndQuotedPrintableAreLeftOver) {
  EXPECT_EQ(Made("html_entities", "<a@b> & \"x\" 'y'"),
            Texts{"&lt;a@b&gt; &amp; &quot;x&quot; &#39;y&#39;"});
  EXPECT_EQ(Made("quoted_printable", "a=b \xC3\xA9"), Texts{"a=3Db =C3=A9"});
  const std::string line(58, 'x');
  EXPECT_EQ(Made("quoted_printable", line + " y z"), Texts{line + " y =\nz"});
}

TEST(Noise, DoubleSpacesChangesSpacesAlone) {
  for (std::string text : Made("double_spaces", "a b c d")) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    EXPECT_EQ(text, "abcd");
  }
}

TEST(Noise, TypoTouchesOneLongWord) {
  for (const std::string& text : Made("typo", "550 unknown user")) {
    EXPECT_EQ(text.find("550 "), 0u) << text;
    EXPECT_NE(text.find(" user"), std::string::npos) << text;
  }
  EXPECT_EQ(Made("typo", "550 full"), Texts{"550 full"});
}

TEST(Noise, DropWordTakesOnlyWordsThatSayNothing) {
  EXPECT_EQ(Made("drop_word", "the user is not known"),
            (Texts{"user is not known", "the user not known"}));
}

TEST(Noise, SwapPunctuationChangesOneMark) {
  EXPECT_EQ(Made("swap_punctuation", "no; stop"), Texts{"no, stop"});
  EXPECT_EQ(Made("swap_punctuation", "no"), Texts{"no"});
}

TEST(Noise, TrailingIdIsAnIdOfTheProviderItsHostOrAUrl) {
  int urls = 0, ids = 0;
  for (const std::string& text : Made("trailing_id", "550 no")) {
    EXPECT_EQ(text.find("550 no "), 0u) << text;
    urls += text.find("://") != std::string::npos ? 1 : 0;
    ids += text.find("(id: ") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(urls, 10);
  EXPECT_GT(ids, 10);
}

TEST(Noise, WrapPutsTheWordsOfEveryServerAroundTheText) {
  const Texts made = Made("wrap", "550 5.1.1 no such user");
  const auto some = [&](std::string_view words) {
    return std::any_of(made.begin(), made.end(), [&](const std::string& text) {
      return text.find(words) != std::string::npos;
    });
  };
  for (const char* words :
       {"] said: 550 5.1.1 no such user (in reply to ", "smtp;", "Remote host said: 550",
        "SMTP error from remote mail server after end of data: host ", "dsn=5.1.1, stat=550",
        "Diagnostic-Code: smtp; 550", "(reason: 550 5.1.1 no such user)"}) {
    EXPECT_TRUE(some(words)) << words;
  }
}

// The account of docs/corpus.md stays true: each noise and wrapper with its figures.
TEST(Noise, EachIsDocumentedWithItsFigures) {
  const std::string page = ReadFile(std::string(std::getenv("REBOUND_SOURCE")) + "/docs/corpus.md");
  const auto row = [](std::string_view name, std::initializer_list<int> figures) {
    std::string out = "| `" + std::string(name) + "` |";
    for (const int figure : figures) out += " " + std::to_string(figure) + " |";
    return out;
  };
  for (const Noise& noise : NoiseTable()) {
    const std::string wanted = row(noise.name, {noise.light, noise.medium, noise.heavy});
    EXPECT_NE(page.find(wanted), std::string::npos) << "docs/corpus.md lacks: " << wanted;
  }
  for (const Wrapper& wrapper : Wrappers()) {
    const std::string wanted = row(wrapper.name, {wrapper.weight});
    EXPECT_NE(page.find(wanted), std::string::npos) << "docs/corpus.md lacks: " << wanted;
  }
}

TEST(Distort, NeverLosesAWordToKeep) {
  CleanText clean;
  clean.text = "please note that the message was refused because of the spamhaus list at the end";
  clean.keep = {"spamhaus", "list", "note"};
  std::set<std::string> made;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    Scene scene(Lists(), &random);
    NoiseContext context{&random, &scene};
    const std::string text = Distort(clean, Damage::kHeavy, context);
    const auto words = WordsOf(text);
    for (const std::string& word : clean.keep) EXPECT_EQ(words.count(word), 1u) << text;
    made.insert(text);
  }
  EXPECT_GT(made.size(), 300u);
}

TEST(DrawDamage, LeavesAboutHalfOfTheCopiesLight) {
  Random random(5);
  int light = 0;
  for (int i = 0; i < 10000; ++i) light += DrawDamage(&random) == Damage::kLight ? 1 : 0;
  EXPECT_GT(light, 4300);
  EXPECT_LT(light, 4700);
}

}  // namespace
}  // namespace rebound
