#include "train/baselines.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

int32_t Label(std::string_view name) { return static_cast<int32_t>(*FindLabel(Task::kBnac, name)); }

void AddRow(const std::string& text, std::string_view label, Corpus* corpus, DataSet* data) {
  data->corpus_rows.push_back(corpus->rows.size());
  data->labels.push_back(Label(label));
  corpus->rows.push_back({text, "normalised " + text, 0, Side::kTrain, {}});
}

class BaselinesTest : public testing::Test {
 protected:
  BaselinesTest() {
    AddRow("550 one", "SPF", &corpus_, &train_);
    AddRow("550 two", "SPF", &corpus_, &train_);
    AddRow("550 three", "DKIM", &corpus_, &train_);
    AddRow("hmm", "SPF", &corpus_, &judge_);
    AddRow("550 5.1.1 hmm", "RECIPIENT_NOT_FOUND", &corpus_, &judge_);
    AddRow("hmm", "DKIM", &corpus_, &judge_);
    AddRow("hmm", "DKIM", &corpus_, &judge_);
  }

  // A program that does what the shell says.
  std::filesystem::path Program(const std::string& script) {
    const std::filesystem::path path = folder_.path() / "fasttext";
    WriteFileDurably(path, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::optional<Baseline> Measure(const std::filesystem::path& program) {
    return MeasureFastText(program, corpus_, Task::kBnac, train_, judge_, 1, nullptr, &why_not_);
  }

  TempFolder folder_;
  Corpus corpus_;
  DataSet train_, judge_;
  std::string why_not_;
};

TEST_F(BaselinesTest, TheMajorityIsThatOfTheTrainingRowsAndCodesAnswerWhereTheyFixSomething) {
  const auto baselines = MeasureSimpleBaselines(corpus_, Task::kBnac, train_, judge_);
  ASSERT_EQ(baselines.size(), 2u);
  EXPECT_EQ(baselines[0].name, "majority class, SPF");
  EXPECT_DOUBLE_EQ(baselines[0].accuracy, 0.25);
  EXPECT_EQ(baselines[1].name, "status codes, which fix 25 %");
  EXPECT_DOUBLE_EQ(baselines[1].accuracy, 0.5);
  EXPECT_DOUBLE_EQ(baselines[1].macro_recall, 2.0 / 3.0);
}

TEST_F(BaselinesTest, WithoutARowThatJudgesThereAreNone) {
  EXPECT_TRUE(MeasureSimpleBaselines(corpus_, Task::kBnac, train_, DataSet()).empty());
}

TEST_F(BaselinesTest, FastTextReadsNormalisedTextsWithTheNumberOfTheirLabel) {
  const std::string spf = "__label__" + std::to_string(Label("SPF")) + " ";
  const std::string dkim = "__label__" + std::to_string(Label("DKIM")) + " ";
  EXPECT_EQ(WriteFastTextRows(corpus_, train_, true), spf + "normalised 550 one\n" + spf +
                                                          "normalised 550 two\n" + dkim +
                                                          "normalised 550 three\n");
  EXPECT_EQ(WriteFastTextRows(corpus_, judge_, false),
            "normalised hmm\nnormalised 550 5.1.1 hmm\nnormalised hmm\nnormalised hmm\n");
}

TEST(FastTextTest, TheCommandRepeatsWhateverTheMachine) {
  const auto command = FastTextCommand("/bin/fasttext", "in", "out", (uint64_t{1} << 40) + 7);
  const auto value = [&](const std::string& flag) {
    return *(std::find(command.begin(), command.end(), flag) + 1);
  };
  EXPECT_EQ(value("-thread"), "1");
  EXPECT_EQ(value("-wordNgrams"), "2");
  EXPECT_EQ(value("-dim"), "64");
  EXPECT_LE(std::stoll(value("-seed")), 0x7fffffff) << "an int for fastText";
}

TEST(FastTextTest, WhatItPrintsIsReadStrictly) {
  using Labels = std::vector<int32_t>;
  EXPECT_EQ(ParseFastTextLabels("__label__3\n__label__0\n", 2, 18), (Labels{3, 0}));
  EXPECT_EQ(
      ParseFastTextLabels("\n__label__18\n__label__-1\n__label__SPF\n__label__3 0.9\n", 5, 18),
      (Labels{-1, -1, -1, -1, -1}));
  EXPECT_EQ(ParseFastTextLabels("__label__3\n", 2, 18), std::nullopt);
  EXPECT_EQ(ParseFastTextLabels("", 1, 18), std::nullopt);
}

TEST_F(BaselinesTest, FastTextsAnswersAreJudgedAndSilenceIsTheMajority) {
  const std::string dkim = "__label__" + std::to_string(Label("DKIM"));
  const auto fasttext =
      Measure(Program("test \"$1\" = supervised || printf '\\n" + dkim + "\\n" + dkim + "\\n\\n'"));
  ASSERT_TRUE(fasttext.has_value()) << why_not_;
  EXPECT_EQ(fasttext->name, "fastText on the same rows");
  EXPECT_DOUBLE_EQ(fasttext->accuracy, 0.5);
}

TEST_F(BaselinesTest, WithoutFastTextItSaysWhatIsMissing) {
  EXPECT_EQ(Measure({}), std::nullopt);
  EXPECT_EQ(why_not_, "the program fasttext is not in $PATH (Debian's package fasttext has it)");
  EXPECT_EQ(Measure("/nowhere/fasttext"), std::nullopt);
  EXPECT_EQ(why_not_, "cannot start /nowhere/fasttext: No such file or directory");
}

TEST_F(BaselinesTest, AFastTextThatFailsIsNoFailureOfTheRun) {
  const std::filesystem::path program = Program("exit 3");
  EXPECT_EQ(Measure(program), std::nullopt);
  EXPECT_EQ(why_not_, program.string() + " supervised ended with status 3");
  Program("test \"$1\" = supervised || echo too few");
  EXPECT_EQ(Measure(program), std::nullopt);
  EXPECT_EQ(why_not_, program.string() + " predict did not print one line a text");
}

TEST_F(BaselinesTest, AFastTextThatRunsEndsWhenTheRunIsCancelled) {
  int asked = 0;
  try {
    MeasureFastText(
        Program("exec sleep 1000"), corpus_, Task::kBnac, train_, judge_, 1,
        [&] { return ++asked > 0; }, &why_not_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace rebound
