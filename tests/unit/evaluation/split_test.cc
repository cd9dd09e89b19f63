#include "evaluation/split.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rebound {
namespace {

using Words = std::vector<std::string>;

std::vector<Words> WordsOfAll(const std::vector<std::string>& texts) {
  std::vector<Words> words;
  for (const std::string& text : texts) words.push_back(SplitWords(text));
  return words;
}

TEST(SplitWordsTest, AreWordsWithoutCodesAndMaskTokens) {
  EXPECT_EQ(SplitWords("550 5_1_1 __email__ user unknown user"), (Words{"unknown", "user"}));
  EXPECT_EQ(SplitWords("550 5_1_1"), (Words{"550", "5_1_1"}));
  EXPECT_EQ(SplitWords("smtp\xE7\x94\xA8\xE6\x88\xB7"),
            (Words{"smtp", "\xE6\x88\xB7", "\xE7\x94\xA8"}));
  EXPECT_TRUE(SplitWords("").empty());
}

TEST(GroupAlikeTest, JoinsNearCopiesAndChainsOfThem) {
  EXPECT_EQ(GroupAlike(WordsOfAll({"550 a b c d", "x y z", "5_1_1 a b c d e", "a b c d e f g"})),
            (std::vector<size_t>{0, 1, 0, 0}));
  EXPECT_EQ(GroupAlike(WordsOfAll({"a b c", "a b d"})), (std::vector<size_t>{0, 1})) << "half";
}

TEST(FirstHalfTest, SplitsEvenlyAndNeverAGroup) {
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    const std::string word = "w" + std::to_string(i);
    texts.push_back("550 " + word + " x" + word + " y" + word);
    texts.push_back("451 " + word + " x" + word + " y" + word);
  }
  const auto words = WordsOfAll(texts);
  const std::vector<bool> first = FirstHalf(words, GroupAlike(words));
  EXPECT_EQ(std::count(first.begin(), first.end(), true), 40);
  for (size_t i = 0; i < texts.size(); i += 2) EXPECT_EQ(first[i], first[i + 1]) << texts[i];
}

}  // namespace
}  // namespace rebound
