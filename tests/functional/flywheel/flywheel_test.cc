// The flywheel: texts in a style that the model never met, half of them contributed, make it right
// on more of the other half.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "labelstore/label_store.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using test::Ran;
using test::RunCommand;

const std::string kData = "tests/functional/flywheel/";

Ran Flywheel(const std::string& options) {
  return RunCommand("'" + test::SourcePath("tools/flywheel") + "' " + options);
}

std::string SmallRun(const std::string& report) {
  return "'" + test::SourcePath(kData + "post_office.jsonl") + "' --templates '" +
         test::SourcePath(kData + "templates") + "' --expand 500 --report '" + report +
         "' --bin \"$REBOUND_BIN\" -- --network bag --vocabulary 600 --epochs 30";
}

double Accuracy(const std::filesystem::path& report, std::string_view task) {
  const JsonDocument json = ParseJson(ReadFile(report / "report.json"));
  return GetJsonDouble(GetJson(GetJson(GetJson(json, "tasks"), task), "sure"), "accuracy");
}

TEST(FlywheelTest, HalfOfAFileContributedMakesTheOtherHalfMoreOftenRight) {
  const TempFolder folder;
  // Settings of the caller that point at a store of his own must not be followed.
  const Ran ran = RunCommand(
      "REBOUND_STORE='postgresql:///nowhere?host=/nonexistent' REBOUND_BUNDLE=/nowhere '" +
      test::SourcePath("tools/flywheel") + "' " + SmallRun(folder.path().string()));
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  for (const char* task : {"bnac", "backoff", "action"}) {
    const double before = Accuracy(folder.path() / "before", task);
    const double after = Accuracy(folder.path() / "after", task);
    EXPECT_GT(after, before + 0.05) << task << "\n" << ran.output;
    EXPECT_NE(ran.output.find(task), std::string::npos) << ran.output;
  }
}

TEST(FlywheelTest, WrongUseIsNamedAndStartsNothing) {
  const auto expect = [](const std::string& options, const std::string& message) {
    const Ran ran = Flywheel(options);
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_EQ(ran.errors, "tools/flywheel: " + message + "\n");
  };
  expect("", "name a labelled file (see --help)");
  expect("/nowhere.jsonl", "cannot read /nowhere.jsonl");
  expect("--task", "--task needs a value");
  expect("--faster", "unknown option '--faster' (see --help)");
  expect("/dev/null --task spam", "--task: 'spam' is none of bnac, backoff, action, all");
}

TEST(FlywheelTest, AFileOfOneTextIsTooSmall) {
  const TempFolder folder;
  WriteFileDurably(folder.path() / "one.jsonl", "{\"text\":\"a\",\"bnac\":\"SPF\"}\n");
  const Ran ran =
      Flywheel("'" + (folder.path() / "one.jsonl").string() + "' --bin \"$REBOUND_BIN\"");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("has too few texts for two halves"), std::string::npos) << ran.errors;
}

// What the retrained model learns from is the contribution, not the template that says otherwise.
TEST(FlywheelTest, AContributionOutweighsTheSeedTemplateOfTheSameText) {
  const std::string uri = test::SharedCluster().NewStore();
  const TempFolder folder;
  std::ofstream(folder.path() / "mine.jsonl")
      << "{\"text\":\"550 no such mailbox on this system\",\"bnac\":\"RECIPIENT_ERROR\","
         "\"backoff\":\"MAILBOX_FULL\",\"label\":\"mailbox_disabled\"}\n";
  const std::string labels = "\"$REBOUND_BIN\"/rebound-labels ";
  const std::string store = " --store '" + uri + "' ";
  const auto exported = [&] {
    const Ran ran = RunCommand(labels + "export" + store);
    std::istringstream lines(ran.output);
    for (std::string line; std::getline(lines, line);) {
      const JsonDocument row = ParseJson(line);
      if (GetJsonString(row, "text") == "550 no such mailbox on this system") {
        return std::string(GetJsonString(row, "origin")) + " " +
               std::string(GetJsonString(row, "label"));
      }
    }
    return ran.output + ran.errors;
  };
  ASSERT_EQ(RunCommand(labels + "seed" + store + "--expand 60 --templates '" +
                       test::SourcePath(kData + "templates") + "'")
                .exit_code,
            0);
  EXPECT_EQ(exported(), "seed user_unknown");
  ASSERT_EQ(RunCommand(labels + "import" + store + "--contributor me '" +
                       (folder.path() / "mine.jsonl").string() + "'")
                .exit_code,
            0);
  EXPECT_EQ(exported(), "contribution mailbox_disabled");
  // Seeding again, as every ./run does, takes nothing back.
  ASSERT_EQ(RunCommand(labels + "seed" + store + "--expand 60 --templates '" +
                       test::SourcePath(kData + "templates") + "'")
                .exit_code,
            0);
  EXPECT_EQ(exported(), "contribution mailbox_disabled");
}

}  // namespace
}  // namespace rebound
