#include "engine/text_rules.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

std::string ErrorOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TextRules Compile(std::string_view text) {
  ParsedTextRules parsed = ParseTextRules(text, "r.txt");
  EXPECT_EQ(parsed.bad_count, 0U);
  return TextRules(std::move(parsed.rules));
}

// "bnac:SPF r.txt:1, label:spam_blocked r.txt:3"
std::string Find(const TextRules& rules, std::string_view text) {
  std::string all;
  const auto found = rules.Find(text);
  for (const Task task : kTasks) {
    if (!found[Index(task)]) continue;
    const TextRule& rule = rules.rules()[*found[Index(task)]];
    EXPECT_EQ(rule.task, task);
    all += (all.empty() ? "" : ", ") + std::string(TaskKey(task)) + ":" +
           std::string(TaskLabels(task)[rule.label]) + " " + rule.place;
  }
  return all;
}

std::string Bad(std::string_view text) {
  std::string all;
  for (const std::string& bad : ParseTextRules(text, "r.txt").bad) {
    all += (all.empty() ? "" : "\n") + bad;
  }
  return all;
}

TEST(RuleLabel, NamesATaskWhereItsNameIsNotEnough) {
  EXPECT_EQ(ParseRuleLabel("spam_blocked").first, Task::kAction);
  EXPECT_EQ(ParseRuleLabel("MAILBOX_FULL").first, Task::kBackoff);
  EXPECT_EQ(ParseRuleLabel("DKIM").first, Task::kBnac);
  EXPECT_EQ(ParseRuleLabel("backoff:GRAYLISTING").first, Task::kBackoff);
  EXPECT_EQ(ParseRuleLabel("label:greylisting").first, Task::kAction);
  EXPECT_EQ(ParseRuleLabel("action:greylisting").first, Task::kAction);
  EXPECT_EQ(ErrorOf([] { ParseRuleLabel("GRAYLISTING"); }),
            "the label 'GRAYLISTING' is of several tasks: write bnac:GRAYLISTING or "
            "backoff:GRAYLISTING");
  EXPECT_EQ(ErrorOf([] { ParseRuleLabel("spam"); }),
            "there is no label 'spam': a line is LABEL PATTERN, LABEL a class of bnac, backoff or "
            "label");
  EXPECT_EQ(ErrorOf([] { ParseRuleLabel("bnac:spam_blocked"); }),
            "there is no label 'spam_blocked' of bnac");
  EXPECT_EQ(ErrorOf([] { ParseRuleLabel("halon:SPF"); }),
            "there are no labels 'halon:'; there are bnac:, backoff: and label:");
}

TEST(TextRules, TakeTheFirstRuleOfEachTask) {
  const TextRules rules = Compile(
      "# ours\nlabel:spam_blocked\t XYZZY-PROVIDER-\\d+ \r\n\nDKIM  dkim.*broken\n"
      "policy_blocked  XYZZY\nMAILBOX_FULL  quota: # \\d+%\n");
  EXPECT_EQ(Find(rules, "554 xyzzy-provider-17"), "label:spam_blocked r.txt:2");
  EXPECT_EQ(Find(rules, "554 xyzzy"), "label:policy_blocked r.txt:5");
  EXPECT_EQ(Find(rules, "XYZZY-provider-1: DKIM is broken, Quota: # 99%"),
            "bnac:DKIM r.txt:4, backoff:MAILBOX_FULL r.txt:6, label:spam_blocked r.txt:2");
  EXPECT_EQ(Find(rules, "550 nothing of the kind"), "");
  EXPECT_EQ(Find(TextRules(), "550"), "");
}

TEST(TextRules, CountCaseOnlyWhereAskedTo) {
  const TextRules rules = Compile("DKIM  (?-i)Broken\nSPF  ÉCHEC\n");
  EXPECT_EQ(Find(rules, "broken"), "");
  EXPECT_EQ(Find(rules, "Broken échec"), "bnac:DKIM r.txt:1");
  EXPECT_EQ(Find(rules, "échec"), "bnac:SPF r.txt:2");
}

TEST(TextRules, TellABadLineAndKeepTheOthers) {
  const std::string text = "SPF spf\nSPF\nSPF (open\nNOPE x\nSPF a*\nSPF " +
                           std::string(4097, 'a') +
                           "\nSPF \xE9\nSPF ((a{1000}){1000}){1000}\nSPF " + "a" +
                           std::string(1, '\0') + "a\nDKIM dkim\n";
  EXPECT_EQ(Bad(text),
            "r.txt:2: there is no pattern: a line is LABEL PATTERN\n"
            "r.txt:3: the pattern is refused: missing ): (open\n"
            "r.txt:4: there is no label 'NOPE': a line is LABEL PATTERN, LABEL a class of bnac, "
            "backoff or label\n"
            "r.txt:5: the pattern matches the empty text and so every text; where that is meant, "
            "write .\n"
            "r.txt:6: the pattern is longer than 4096 bytes\n"
            "r.txt:7: is not in UTF-8: convert the file\n"
            "r.txt:8: the pattern is refused: invalid repetition size: {1000}\n"
            "r.txt:9: the pattern holds a NUL byte");
  EXPECT_EQ(ParseTextRules(text, "r.txt").rules.size(), 2U);
}

TEST(TextRules, MayBeginWithAByteOrderMark) {
  EXPECT_EQ(Find(Compile("\xEF\xBB\xBF"
                         "SPF spf"),
                 "spf"),
            "bnac:SPF r.txt:1");
}

TEST(TextRules, HaveLimits) {
  std::string lines;
  for (size_t i = 0; i <= kMaxTextRules; ++i) lines += "SPF x\n";
  EXPECT_EQ(ErrorOf([&] { ParseTextRules(lines, "r.txt"); }),
            "r.txt:5001: more than the 5000 text rules allowed");
  lines.clear();
  for (int i = 0; i < 2000; ++i) lines += "SPF [a-f]{200}(x|y){400}z{800}\n";
  const std::string error = ErrorOf([&] { ParseTextRules(lines, "r.txt"); });
  EXPECT_TRUE(error.starts_with("r.txt:")) << error;
  EXPECT_TRUE(error.ends_with(
      ": the text rules need too much memory together: use fewer or smaller repetitions"))
      << error;
}

// Patterns that make other engines try for ever, and so many states that a set gives up.
TEST(TextRules, AreLinearInTheText) {
  const TextRules rules =
      Compile("SPF (a+)+$b\nDKIM (a|aa)+c\nspam_blocked [ab]*a[ab]{300}z\nMAILBOX_FULL end\n");
  std::string text;
  for (int i = 0; text.size() < 10000; ++i) text += i * i % 7 < 3 ? 'a' : 'b';
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Find(rules, text), "");
  EXPECT_EQ(Find(rules, text + " the end"), "backoff:MAILBOX_FULL r.txt:4");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

// Rules are asked one by one where there is not memory enough to ask all at once, be it to make the
// automaton or for a text: with the same answers.
TEST(TextRules, AnswerAlikeWhateverMemoryTheyHave) {
  std::string lines = "DKIM dkim\n";
  for (int i = 0; i < 50; ++i) lines += "SPF number" + std::to_string(i) + "[a-f]{20}z\n";
  lines += "MAILBOX_FULL full\nDMARC dkim\n";
  for (const int64_t bytes : {1'000, 60'000, 120'000, 64'000'000}) {
    const TextRules rules(ParseTextRules(lines, "r.txt").rules, bytes);
    EXPECT_EQ(Find(rules, "a DKIM of a full box"),
              "bnac:DKIM r.txt:1, backoff:MAILBOX_FULL r.txt:52");
    EXPECT_EQ(Find(rules, "number49" + std::string(20, 'c') + "z"), "bnac:SPF r.txt:51");
    EXPECT_EQ(Find(rules, "nothing"), "");
  }
}

class TextRuleFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(file_, std::ios::trunc) << text; }

  const TempFolder folder_;
  const fs::path file_ = folder_.path() / "text.rules";
};

TEST_F(TextRuleFileTest, FollowsItsFile) {
  Write("SPF spf\nbad line\n");
  TextRuleFile rules(file_, false);
  EXPECT_EQ(rules.GetStatus().rules, 1U);
  EXPECT_EQ(rules.GetStatus().bad_count, 1U);
  EXPECT_TRUE(rules.GetStatus().loaded_at);
  Write("DKIM spf\n");
  EXPECT_TRUE(rules.Look());
  EXPECT_EQ(Find(*rules.Current(), "spf"), "bnac:DKIM " + file_.string() + ":1");
  EXPECT_EQ(rules.GetStatus().bad_count, 0U);
}

TEST_F(TextRuleFileTest, KeepsItsRulesWhereTheFileCannotBeRead) {
  Write("SPF spf\n");
  TextRuleFile rules(file_, false);
  fs::remove(file_);
  EXPECT_FALSE(rules.Look());
  EXPECT_FALSE(rules.Look());
  EXPECT_EQ(rules.GetStatus().last_error, "there is no file " + file_.string());
  EXPECT_EQ(Find(*rules.Current(), "spf"), "bnac:SPF " + file_.string() + ":1");
  Write("SPF spf\n");
  EXPECT_TRUE(rules.Look());
  EXPECT_EQ(rules.GetStatus().last_error, "");
}

TEST_F(TextRuleFileTest, RefusesToStartWithoutTheFileThatIsNamed) {
  EXPECT_EQ(ErrorOf([&] { TextRuleFile(file_, false); }),
            "--text-rules: there is no file " + file_.string());
  EXPECT_EQ(ErrorOf([&] { TextRuleFile(folder_.path(), false); }),
            "--text-rules: " + folder_.path().string() + " is a folder: name a file");
}

TEST_F(TextRuleFileTest, PutsRegisteredRulesFirstAndKeepsThemOverReloads) {
  Write("SPF spf\n");
  TextRuleFile rules(file_, false);
  rules.Register("spf", "DKIM");
  rules.Register("spf", "DMARC");
  EXPECT_EQ(Find(*rules.Current(), "spf"), "bnac:DKIM registered");
  Write("SPF spf\nDMARC dmarc\n");
  EXPECT_TRUE(rules.Look());
  EXPECT_EQ(Find(*rules.Current(), "spf"), "bnac:DKIM registered");
  EXPECT_EQ(Find(*rules.Current(), "dmarc"), "bnac:DMARC " + file_.string() + ":2");
  EXPECT_EQ(rules.GetStatus().registered, 2U);
  rules.Clear();
  EXPECT_EQ(Find(*rules.Current(), "spf"), "bnac:SPF " + file_.string() + ":1");
  EXPECT_EQ(rules.GetStatus().registered, 0U);
}

TEST(TextRuleFile, RegistersRulesWithoutAFile) {
  TextRuleFile rules;
  EXPECT_TRUE(rules.Look());
  rules.Register("quota \\d+", "mailbox_full");
  EXPECT_EQ(Find(*rules.Current(), "QUOTA 5"), "label:mailbox_full registered");
  EXPECT_EQ(ErrorOf([&] { rules.Register("(", "SPF"); }), "the pattern is refused: missing ): (");
  EXPECT_EQ(ErrorOf([&] { rules.Register("x", "nope"); }),
            "there is no label 'nope': a line is LABEL PATTERN, LABEL a class of bnac, backoff or "
            "label");
  EXPECT_EQ(rules.GetStatus().registered, 1U);
}

TEST_F(TextRuleFileTest, AnswersWhileRulesChange) {
  Write("SPF spf\n");
  TextRuleFile rules(file_);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!stop) {
      const auto current = rules.Current();
      if (!current->Find("spf")[Index(Task::kBnac)]) ++wrong;
      rules.GetStatus();
    }
  });
  for (int i = 0; i < 30; ++i) {
    rules.Register("x" + std::to_string(i), "DKIM");
    rules.Look();
    if (i % 5 == 0) rules.Clear();
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace rebound
