#include "labelstore/seed_corpus.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

constexpr const char* kHeader = "server\tlang\tbnac\tbackoff\tlabel\ttext\n";

std::string Line(const std::string& text, const std::string& bnac = "BLOCKED") {
  return "exim\ten\t" + bnac + "\tGENERIC_BLOCK\tpolicy_blocked\t" + text + "\n";
}

class SeedCorpus : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    WriteFileDurably(folder_.path() / name, text);
  }
  std::string FaultOf() {
    try {
      LoadSeedCorpus(folder_.path());
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  TempFolder folder_;
};

TEST_F(SeedCorpus, ATemplateHasItsLabelsItsTextAndAStableName) {
  Write("a.tsv", "# comment\n" + std::string(kHeader) + "\n" + Line("550 no\\nmore {ip}", "SPF"));
  const auto templates = LoadSeedCorpus(folder_.path());
  ASSERT_EQ(templates.size(), 1u);
  const Template& only = templates[0];
  EXPECT_EQ(only.text, "550 no\nmore {ip}");
  EXPECT_EQ(only.id, "a8bc7525a529");
  EXPECT_EQ(only.group, only.id);
  EXPECT_EQ(only.server, "exim");
  EXPECT_EQ(only.language, "en");
  EXPECT_EQ(only.line, 4);
  EXPECT_EQ(TaskLabels(Task::kBnac)[only.labels[0]], "SPF");
  ASSERT_EQ(only.pieces.size(), 2u);
  EXPECT_EQ(only.pieces[1].slot, Slot::kIp);
}

TEST_F(SeedCorpus, EveryFaultIsToldWithFileAndLine) {
  Write("a.tsv", std::string(kHeader) + Line("one two three", "NOPE") + Line("bad {slot}") +
                     Line("open {ip") + "exim\ten\tBLOCKED\n" + Line(" ") + Line("same words") +
                     Line("same words"));
  Write("b.tsv", "server\tlang\n");
  EXPECT_EQ(
      FaultOf(),
      "a.tsv:2: 'NOPE' is no bnac label\n"
      "a.tsv:3: unknown slot {slot} ({{ is a brace)\n"
      "a.tsv:4: a brace is not closed ({{ is a brace)\n"
      "a.tsv:5: has 3 fields instead of 6: server, lang, bnac, backoff, label, text with tabs "
      "between them\n"
      "a.tsv:6: field 6 is empty\n"
      "b.tsv:1: is not the header (server lang bnac backoff label text)\n"
      "a.tsv:8: the same text stands in a.tsv:7");
}

TEST_F(SeedCorpus, AFolderWithoutTemplatesIsNotFound) {
  EXPECT_EQ(FaultOf(),
            "no templates (*.tsv) in " + folder_.path().string() + ": check --templates");
}

TEST_F(SeedCorpus, NearCopiesShareTheGroupOfTheFirstEvenAcrossFiles) {
  Write("b.tsv", std::string(kHeader) + Line("Your mail was refused by policy of {domain} today"));
  Write("a.tsv", std::string(kHeader) + Line("550 Your mail was refused by policy of {host}") +
                     Line("mailbox full"));
  const auto templates = LoadSeedCorpus(folder_.path());
  ASSERT_EQ(templates.size(), 3u);
  EXPECT_EQ(templates[2].group, templates[0].id);
  EXPECT_EQ(templates[1].group, templates[1].id);
}

TEST_F(SeedCorpus, TheSameWordsWithOtherLabelsMeanThatTheCodesDecide) {
  Write("a.tsv", std::string(kHeader) + Line("550 requested mailbox was unavailable", "BLOCKED") +
                     Line("450 requested mailbox was unavailable", "SPF") +
                     Line("451 please come back some other time") + Line("550 rejected"));
  const auto templates = LoadSeedCorpus(folder_.path());
  EXPECT_TRUE(templates[0].codes_decide);
  EXPECT_TRUE(templates[1].codes_decide);
  EXPECT_FALSE(templates[2].codes_decide);
  EXPECT_TRUE(templates[3].codes_decide);
}

TEST_F(SeedCorpus, TwoBareCodesAreNotAlike) {
  Write("a.tsv", std::string(kHeader) + Line("550 5.1.11") + Line("450 4.2.22"));
  const auto templates = LoadSeedCorpus(folder_.path());
  EXPECT_NE(templates[0].group, templates[1].group);
}

TEST_F(SeedCorpus, TheTellingWordsAreThoseThatComeWithTheLabel) {
  std::string text = kHeader;
  for (const char* other : {"alpha", "beta", "gamma", "delta"}) {
    text += Line(
        "your message to this server was refused because the greylist said " + std::string(other),
        "GRAYLISTING");
    text += Line(
        "your message to this server was refused because the policy said " + std::string(other),
        "BLOCKED");
  }
  Write("a.tsv", text);
  const auto templates = LoadSeedCorpus(folder_.path());
  ASSERT_EQ(templates[0].telling_words.size(), 3u);
  EXPECT_EQ(templates[0].telling_words[0], "greylist");
  EXPECT_EQ(templates[1].telling_words[0], "policy");
}

TEST(ParsePieces, KnowsChoicesAndLiteralBraces) {
  const auto pieces = ParsePieces("a {{b} {x|y z|} {num}");
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0].text, "a {b} ");
  EXPECT_EQ(pieces[1].choices, (std::vector<std::string>{"x", "y z", ""}));
  EXPECT_EQ(pieces[3].slot, Slot::kNum);
}

TEST(SlotName, EverySlotHasItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kSlotCount; ++i) names.insert(SlotName(static_cast<Slot>(i)));
  EXPECT_EQ(names.size(), kSlotCount);
}

TEST(ProjectCorpus, LoadsAndCoversEveryLabelOfEveryTask) {
  const auto templates = LoadSeedCorpus(FindSeedFolder() / "templates");
  EXPECT_GE(templates.size(), 500u);
  std::array<std::set<size_t>, kTaskCount> seen;
  for (const Template& each : templates) {
    for (size_t task = 0; task < kTaskCount; ++task) seen[task].insert(each.labels[task]);
  }
  for (const Task task : kTasks) EXPECT_EQ(seen[Index(task)].size(), TaskLabels(task).size());
}

// The split's promise: a near copy of what trained never judges.
TEST(ProjectCorpus, NearCopiesStandOnOneSideOfTheSplit) {
  const auto templates = LoadSeedCorpus(FindSeedFolder() / "templates");
  std::vector<std::set<std::string>> words;
  for (const Template& each : templates) words.push_back(WordsOf(each.pieces));
  size_t pairs = 0;
  FindAlike(words, kSameGroup, [&](size_t i, size_t j, double) {
    ++pairs;
    EXPECT_EQ(templates[i].group, templates[j].group) << templates[i].text << "\n"
                                                      << templates[j].text;
  });
  EXPECT_GT(pairs, 100u);
}

}  // namespace
}  // namespace rebound
