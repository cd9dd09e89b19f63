// What masking of contributions hides of people, and what it takes from the words of servers: over
// the fixtures of tests/testdata/masking and the seed corpus. Prints the figures that
// docs/contributions.md quotes.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "base/text.h"
#include "labelstore/contributed_text.h"
#include "labelstore/generator.h"
#include "labelstore/server_words.h"
#include "tests/support/masking_fixtures.h"
#include "tokenizer/mask.h"

namespace rebound {
namespace {

using test::FindFragment;
using test::MaskingFixture;

void ExpectHidden(const std::vector<MaskingFixture>& fixtures,
                  std::string (*mask)(std::string_view)) {
  size_t hidden = 0;
  for (const MaskingFixture& fixture : fixtures) {
    const std::string masked = mask(fixture.text);
    const std::string left = FindFragment(masked, fixture.hidden);
    EXPECT_EQ(left, "") << fixture.text << "\n" << masked;
    for (const std::string& word : fixture.kept) {
      EXPECT_NE(FindFragment(masked, {word}), "") << word << " is gone: " << masked;
    }
    EXPECT_EQ(mask(masked), masked) << fixture.text;
    hidden += left.empty() ? 1 : 0;
  }
  std::cout << hidden << " of " << fixtures.size() << " personal texts hide all that is personal\n";
}

TEST(MaskingFigures, TextsWithSomethingPersonalKeepNoneOfIt) {
  const auto fixtures = test::LoadPersonalTexts();
  EXPECT_GE(fixtures.size(), 200U);
  ExpectHidden(fixtures, MaskContribution);
}

TEST(MaskingFigures, CommentsWithSomethingPersonalKeepNoneOfIt) {
  ExpectHidden(test::LoadPersonalComments(), MaskComment);
}

TEST(MaskingFigures, WordsOfServersStay) {
  for (const std::string& text : test::LoadServerTexts()) {
    EXPECT_EQ(MaskContribution(text), Mask(text));
  }
}

std::map<std::string, int> CountWords(std::string_view text) {
  std::map<std::string, int> counts;
  ForEachWord(text, [&](TextWord word) {
    ++counts[LowerUtf8(text.substr(word.begin, word.end - word.begin))];
  });
  return counts;
}

// The words that the generator writes for people and their machines: hiding those is right.
std::set<std::string> PersonalWords(const SlotLists& lists) {
  std::set<std::string> personal = {"email", "ipvfour", "ipvsix", "host", "url",
                                    "uuid",  "id",      "num",    "date", "duration"};
  for (const auto* list : {&lists.users, &lists.names, &lists.domain_words, &lists.tlds,
                           &lists.host_prefixes, &lists.sender_host_prefixes}) {
    for (const std::string& value : *list) {
      for (const auto& [word, count] : CountWords(value)) personal.insert(word);
    }
  }
  return personal;
}

const std::vector<Template>& Corpus() {
  static const auto* const kCorpus =
      new std::vector<Template>(LoadSeedCorpus(FindSeedFolder() / "templates"));
  return *kCorpus;
}

TEST(MaskingFigures, TheSeedCorpusLosesAlmostNoWord) {
  constexpr size_t kTexts = 20000;
  const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  const std::set<std::string> personal = PersonalWords(lists);
  int64_t texts = 0, hurt = 0, words = 0, lost = 0;
  Generator(Corpus(), lists, 1).Expand(kTexts, [&](const GeneratedText& generated) {
    const auto before = CountWords(Mask(generated.text));
    const auto after = CountWords(MaskContribution(generated.text));
    int64_t lost_here = 0;
    for (const auto& [word, count] : before) {
      words += count;
      const auto found = after.find(word);
      const int left = found == after.end() ? 0 : found->second;
      if (left < count && !personal.contains(word)) lost_here += count - left;
    }
    ++texts;
    lost += lost_here;
    hurt += lost_here > 0 ? 1 : 0;
  });
  std::cout << "of " << words << " words in " << texts << " texts of the seed corpus " << lost
            << " are lost, in " << hurt << " texts\n";
  EXPECT_GE(texts, 18000);
  EXPECT_LE(lost * 2000, words) << "more than 0.05 % of the words";
  EXPECT_LE(hurt * 500, texts) << "more than 0.2 % of the texts";
}

TEST(MaskingFigures, TheWordsOfServersAreThoseOfTheCorpus) {
  // Not to the word: a template more changes little, and masks that change often are no masks.
  size_t words = 0, unknown = 0;
  const std::string list = WriteServerWords(Corpus());
  for (const std::string_view word : Split(list, '\n')) {
    if (word.empty()) continue;
    ++words;
    unknown += FamiliarityOf(word) == Familiarity::kUnknown ? 1 : 0;
  }
  EXPECT_GE(words, 8000U);
  EXPECT_LE(unknown * 50, words) << "write labelstore/server_words.txt anew: rebound-labels corpus "
                                    "--words > labelstore/server_words.txt";
}

}  // namespace
}  // namespace rebound
