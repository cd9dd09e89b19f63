// rebound-labels as a user meets it.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

class Labels : public testing::Test {
 protected:
  test::Ran Run(const std::string& arguments) {
    return test::RunCommand("REBOUND_STORE='" + uri_ + "' " + test::BinaryPath("rebound-labels") +
                            " " + arguments);
  }
  // Standard output as JSON; the command must succeed.
  JsonDocument Json(const std::string& arguments) {
    const test::Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << arguments << ": " << ran.errors;
    return ParseJson(ran.output);
  }
  std::string Write(const std::string& name, const std::string& text) {
    WriteFileDurably(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }

  std::string uri_ = test::SharedCluster().NewDatabase();
  TempFolder folder_;
};

TEST_F(Labels, HelpTeachesEveryCommand) {
  const test::Ran help = Run("--help");
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"migrate", "seed", "import", "export", "stats", "snapshot", "review",
                              "lineage", "must-pass", "promote", "rollback", "registry", "roles",
                              "backup", "restore", "retain", "corpus"}) {
    EXPECT_NE(help.output.find(std::string("  ") + command), std::string::npos) << command;
    const test::Ran own = Run(std::string(command) + " --help");
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_NE(own.output.find(std::string("Usage: rebound-labels ") + command), std::string::npos);
  }
}

TEST_F(Labels, WrongUseIsExitCodeTwo) {
  EXPECT_EQ(Run("").exit_code, 2);
  EXPECT_EQ(Run("fly").errors,
            "rebound-labels: unknown command 'fly' (see rebound-labels --help)\n");
  EXPECT_EQ(Run("fly").exit_code, 2);
  EXPECT_EQ(Run("stats --nonsense").exit_code, 2);
  EXPECT_EQ(Run("import").exit_code, 2);
  EXPECT_EQ(Run("import x.txt").errors,
            "rebound-labels: x.txt: the name must end in .csv or .jsonl\n");
  EXPECT_EQ(Run("import /nonexistent.csv").exit_code, 2);
  EXPECT_EQ(Run("import x.csv --origin god").exit_code, 2);
  EXPECT_EQ(Run("seed --expand 0").exit_code, 2);
  uri_ = "";
  EXPECT_EQ(
      test::RunCommand("env -u REBOUND_STORE " + test::BinaryPath("rebound-labels") + " stats")
          .exit_code,
      2);
}

TEST_F(Labels, AStoreThatIsNotMadeYetIsExitCodeOneWithTheRemedy) {
  const test::Ran ran = Run("stats");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("has no label store yet: run rebound-labels migrate"),
            std::string::npos)
      << ran.errors;
}

TEST_F(Labels, ADatabaseThatIsAwayIsExitCodeOne) {
  uri_ = "postgresql:///rebound?host=/nonexistent";
  const test::Ran ran = Run("stats");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("is not available"), std::string::npos) << ran.errors;
}

TEST_F(Labels, SeedingAgainChangesNothingAndMoreTextsAdd) {
  EXPECT_EQ(Run("migrate").exit_code, 0);
  EXPECT_EQ(Run("migrate").output, "the schema is up to date\n");
  const JsonDocument first = Json("seed --expand 100 --json");
  const int64_t templates = GetJsonInt(first, "templates");
  EXPECT_GE(GetJsonInt(first, "texts"), templates);
  const JsonDocument again = Json("seed --expand 100 --json");
  EXPECT_EQ(GetJsonInt(again, "inserted"), 0);
  EXPECT_EQ(GetJsonInt(again, "relabelled"), 0);
  EXPECT_EQ(GetJsonInt(again, "duplicates"), GetJsonInt(again, "texts"));
  const JsonDocument stats = Json("stats --json");
  EXPECT_EQ(GetJsonInt(stats, "messages"), GetJsonInt(first, "inserted"));
  EXPECT_GT(GetJsonInt(stats, "held_out") * 100, GetJsonInt(stats, "messages") * 10);
  EXPECT_LT(GetJsonInt(stats, "held_out") * 100, GetJsonInt(stats, "messages") * 20);
  const JsonDocument more =
      Json("seed --expand " + std::to_string(templates * 3) + " --seed 2 --json");
  EXPECT_GT(GetJsonInt(more, "inserted"), templates);
}

TEST_F(Labels, SeedPrintsTheSameTextsForTheSameSeed) {
  const std::string once = Run("seed --print 50 --seed 9").output;
  EXPECT_EQ(std::count(once.begin(), once.end(), '\n'), 50);
  EXPECT_EQ(Run("seed --print 50 --seed 9").output, once);
  EXPECT_NE(Run("seed --print 50 --seed 8").output, once);
  for (const std::string_view line : Split(Trim(once), '\n')) {
    EXPECT_FALSE(GetJsonString(ParseJson(line), "text").empty());
  }
}

TEST_F(Labels, AnImportReportsBadRowsAndTakesTheRest) {
  Run("migrate");
  const std::string file = Write("bounces.csv",
                                 "message,label,bnac,backoff\r\n"
                                 "\"550 5.1.1 no such user, sorry\",user_unknown,,\r\n"
                                 "550 5.7.1 refused,policy_blocked,BLOCKED,NO_SUCH\r\n"
                                 "421 busy,,RATE_LIMIT,RATE_LIMIT__SERVER_BUSY\r\n");
  const test::Ran ran = Run("import " + file + " --contributor bob --json");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors, file + ":3: unknown backoff label 'NO_SUCH'\n");
  EXPECT_EQ(
      ran.output,
      "{\"rows\":3,\"bad_rows\":1,\"inserted\":2,\"duplicates\":0,\"relabelled\":0,\"voted\":0}"
      "\n");
}

TEST_F(Labels, AnExportIsReadBackToTheSameSnapshot) {
  Run("migrate");
  const std::string file =
      Write("in.jsonl",
            "{\"message\":\"550 5.1.1 <a@b.example> unknown\",\"bnac\":\"RECIPIENT_NOT_FOUND\"}\n"
            "{\"message\":\"452 4.2.2 mailbox full\\nsorry\",\"backoff\":\"MAILBOX_FULL\"}\n");
  EXPECT_EQ(Run("import " + file + " --origin review").exit_code, 0);
  const std::string out = (folder_.path() / "out.jsonl").string();
  EXPECT_EQ(Run("export --output " + out).exit_code, 0);
  EXPECT_EQ(Run("export").output, ReadFile(out));
  const JsonDocument info = Json("snapshot --json");
  const std::string digest(GetJsonString(info, "digest"));
  EXPECT_EQ(GetJsonInt(info, "rows"), 2);

  uri_ = test::SharedCluster().NewStore();
  EXPECT_EQ(Run("import " + out + " --origin review").exit_code, 0);
  EXPECT_EQ(std::string(GetJsonString(Json("snapshot --json"), "digest")), digest);
}

TEST_F(Labels, AnImportReadsStandardInput) {
  Run("migrate");
  const std::string file = Write("in.jsonl", "{\"text\":\"550 no\",\"bnac\":\"BLOCKED\"}\n");
  const test::Ran ran =
      test::RunCommand("cat " + file + " | " + test::BinaryPath("rebound-labels") +
                       " import - --store '" + uri_ + "'");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(
      ran.output,
      "1 rows: 1 new, 0 with a first label of this contributor, 0 relabelled, 0 known already, "
      "0 bad\n");
}

TEST_F(Labels, TheCorpusIsCounted) {
  const JsonDocument corpus = Json("corpus --json");
  EXPECT_GE(GetJsonInt(corpus, "templates"), 500);
  EXPECT_GT(GetJsonInt(GetJson(corpus, "bnac"), "GRAYLISTING"), 0);
  EXPECT_GT(GetJsonInt(GetJson(corpus, "languages"), "en"), 0);
  EXPECT_NE(Run("corpus").output.find("by backoff"), std::string::npos);
}

TEST_F(Labels, AWrongTemplateIsNamedByFileAndLine) {
  Write("x.tsv", "server\tlang\tbnac\tbackoff\tlabel\ttext\na\ten\tNO\tX\ty\tz\n");
  const test::Ran ran = Run("corpus --templates " + folder_.path().string());
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.errors, "rebound-labels: x.tsv:2: 'NO' is no bnac label\n");
}

}  // namespace
}  // namespace rebound
