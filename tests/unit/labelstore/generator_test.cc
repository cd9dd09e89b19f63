#include "labelstore/generator.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

Template MakeTemplate(const std::string& text) {
  Template made;
  made.text = text;
  made.id = Sha256Hex(text).substr(0, 12);
  made.group = made.id;
  made.pieces = ParsePieces(text);
  return made;
}

const SlotLists& Lists() {
  static const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  return lists;
}

std::vector<GeneratedText> Expand(const std::vector<Template>& templates, size_t count,
                                  uint64_t seed = 1) {
  std::vector<GeneratedText> texts;
  Generator(templates, Lists(), seed).Expand(count, [&](GeneratedText text) {
    texts.push_back(std::move(text));
  });
  return texts;
}

TEST(Scene, TellsOneStory) {
  Random random(3);
  Scene scene(Lists(), &random);
  EXPECT_EQ(scene.Value(Slot::kEmail), scene.Value(Slot::kUser) + "@" + scene.Value(Slot::kDomain));
  EXPECT_EQ(scene.Value(Slot::kIp), scene.Value(Slot::kIp));
  EXPECT_NE(scene.Value(Slot::kId), scene.Value(Slot::kId));
  for (int i = 0; i < 200; ++i) {
    EXPECT_LE(std::stoi(scene.Value(Slot::kNum, "127.0.0.")), 254);
  }
}

TEST(Scene, EverySlotHasAValue) {
  Random random(4);
  Scene scene(Lists(), &random);
  for (size_t i = 0; i < kSlotCount; ++i) {
    const std::string value = scene.Value(static_cast<Slot>(i));
    EXPECT_FALSE(value.empty()) << SlotName(static_cast<Slot>(i));
    EXPECT_EQ(value.find('{'), std::string::npos) << value;
    EXPECT_TRUE(IsValidUtf8(value));
  }
}

TEST(Generator, TheSameSeedGivesTheSameTextsOnEveryMachine) {
  const std::vector<Template> templates = {
      MakeTemplate("550 5.1.1 <{email}>: {uuid} {id} {num} {date} {url} {ip6} user unknown here")};
  std::string all;
  for (const GeneratedText& text : Expand(templates, 50)) all += text.text + "\n";
  std::string again;
  for (const GeneratedText& text : Expand(templates, 50)) again += text.text + "\n";
  EXPECT_EQ(all, again);
  std::string other;
  for (const GeneratedText& text : Expand(templates, 50, 2)) other += text.text + "\n";
  EXPECT_NE(all, other);
}

TEST(Generator, TheFirstCopyOfEveryTemplateIsClean) {
  const std::vector<Template> templates = {MakeTemplate("550 alpha beta gamma"),
                                           MakeTemplate("421 delta {{epsilon} zeta")};
  const auto texts = Expand(templates, 1);
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0].text, "550 alpha beta gamma");
  EXPECT_EQ(texts[1].text, "421 delta {epsilon} zeta");
}

TEST(Generator, TemplatesShareEvenlyAndNoFormComesTwice) {
  std::vector<Template> templates;
  for (const char* word : {"greylisted", "quota", "policy"}) {
    templates.push_back(MakeTemplate("451 4.7.1 <{email}>: " + std::string(word) +
                                     " applies to this message from {sender}, please see {url}"));
  }
  std::map<const Template*, int> counts;
  std::set<std::string> forms;
  for (const GeneratedText& text : Expand(templates, 61)) {
    ++counts[text.origin];
    EXPECT_TRUE(forms.insert(Normalise(text.text)).second) << text.text;
  }
  EXPECT_EQ(counts[&templates[0]], 21);
  EXPECT_EQ(counts[&templates[1]], 20);
  EXPECT_EQ(counts[&templates[2]], 20);
}

TEST(Generator, MoreTextsOrMoreTemplatesLeaveTheOthersAsTheyAre) {
  std::vector<Template> templates = {
      MakeTemplate("550 5.7.1 message from {ip} refused by local policy of {domain}")};
  std::set<std::string> few, many;
  for (const auto& text : Expand(templates, 10)) few.insert(text.text);
  templates.push_back(MakeTemplate("421 another one"));
  for (const auto& text : Expand(templates, 100)) many.insert(text.text);
  for (const std::string& text : few) EXPECT_EQ(many.count(text), 1u) << text;
}

TEST(Generator, NoiseKeepsWhatDecides) {
  Template origin = MakeTemplate(
      "550 5.7.1 Your message from {ip} was refused because the sender is on {dnsbl} and we trust "
      "it");
  origin.telling_words = {"refused", "sender"};
  const Generator generator({origin}, Lists(), 1);
  size_t clean = 0;
  for (uint64_t copy = 0; copy < 500; ++copy) {
    const std::string text = generator.MakeCopy(origin, copy);
    const auto words = WordsOf(text);
    EXPECT_EQ(words.count("refused"), 1u) << text;
    EXPECT_EQ(words.count("sender"), 1u) << text;
    if (text.find("Your message from") != std::string::npos &&
        text.find("and we trust it") != std::string::npos) {
      ++clean;
    }
  }
  // A third to a half of all copies stays nearly clean.
  EXPECT_GT(clean, 160u);
}

TEST(Generator, CodesStayWhereTheyDecide) {
  Template origin = MakeTemplate("450 4.2.0 mailbox unavailable");
  origin.codes_decide = true;
  const Generator generator({origin}, Lists(), 1);
  for (uint64_t copy = 0; copy < 300; ++copy) {
    const std::string text = generator.MakeCopy(origin, copy);
    EXPECT_NE(text.find("450"), std::string::npos) << text;
  }
}

TEST(Generator, AChoiceTakesEachOfItsWords) {
  const Template origin = MakeTemplate("550 {spam|virus|policy}");
  const Generator generator({origin}, Lists(), 1);
  std::set<std::string> seen;
  for (uint64_t copy = 0; copy < 60; ++copy) {
    Random random(copy);
    Scene scene(Lists(), &random);
    seen.insert(Fill(origin, &scene, &random).text);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"550 spam", "550 virus", "550 policy"}));
}

}  // namespace
}  // namespace rebound
