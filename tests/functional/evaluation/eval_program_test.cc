// rebound-eval on small bundles whose answers are known.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "evaluation/scorecard.h"
#include "models/bundle_store.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using test::Ran;

class EvalProgramTest : public testing::Test {
 protected:
  EvalProgramTest() : store_(folder_.path() / "models") {
    test::TestBundle bundle;
    bundle.fallback_threshold = 0.5;
    test::PublishTestBundle(&store_, bundle);
    bundle.task = Task::kAction;
    test::PublishTestBundle(&store_, bundle);
  }

  Ran Eval(const std::string& jsonl, const std::string& options) {
    WriteFileDurably(folder_.path() / "data.jsonl", jsonl);
    return test::RunCommand("'" + test::BinaryPath("rebound-eval") + "' --data '" +
                            (folder_.path() / "data.jsonl").string() + "' " + options);
  }
  std::string Models() const { return "--models '" + store_.root().string() + "' "; }

  TempFolder folder_;
  BundleStore store_;
};

constexpr const char* kRows =
    "{\"id\":\"a\",\"text\":\"listed by spamhaus\",\"bnac\":[\"BLOCK_LIST\"],\"label\":"
    "\"ip_blacklisted\"}\n"
    "{\"id\":\"b\",\"text\":\"greylisting in effect\",\"bnac\":[\"SPF\",\"DKIM\"]}\n"
    "{\"id\":\"c\",\"text\":\"550 5.1.1 hmm\",\"bnac\":\"RECIPIENT_NOT_FOUND\"}\n"
    "{\"id\":\"d\",\"text\":\"spamhaus\",\"bnac\":\"TLS\",\"sure\":false}\n";

TEST_F(EvalProgramTest, FiguresAreOverTheSureRowsOfEachTaskWithABundle) {
  const Ran ran = Eval(kRows, Models() + "--json");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const JsonDocument json = ParseJson(ran.output);
  const JsonValue& bnac = GetJson(json, "bnac");
  EXPECT_EQ(GetJsonInt(GetJson(bnac, "sure"), "rows"), 3);
  EXPECT_EQ(GetJsonInt(GetJson(bnac, "all"), "rows"), 4);
  EXPECT_DOUBLE_EQ(GetJsonDouble(GetJson(bnac, "sure"), "accuracy"), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(GetJsonDouble(GetJson(bnac, "all"), "accuracy"), 0.5);
  EXPECT_EQ(GetJsonInt(GetJson(bnac, "sure"), "macro_recall"), 1);
  EXPECT_EQ(GetJsonInt(GetJson(GetJson(json, "action"), "sure"), "rows"), 1);
  EXPECT_EQ(FindJson(json, "backoff"), nullptr);
}

TEST_F(EvalProgramTest, TheStatusCodeAnswersWhereTheModelIsNotSureUnlessToldNotTo) {
  const auto by_code = [&](const std::string& options) {
    const Ran ran = Eval(kRows, Models() + "--json " + options);
    return GetJsonInt(GetJson(ParseJson(ran.output), "bnac"), "by_status_code");
  };
  EXPECT_EQ(by_code(""), 1);
  EXPECT_EQ(by_code("--no-fallback"), 0);
}

TEST_F(EvalProgramTest, OneBundleIsMeasuredAlone) {
  const Ran ran =
      Eval(kRows, "--bundle '" + store_.BundleFolder(Task::kAction, 1).string() + "' --errors 5");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_NE(ran.output.find("action, version 1 (1 rows, 1 sure"), std::string::npos) << ran.output;
  EXPECT_EQ(ran.output.find("bnac"), std::string::npos);
  EXPECT_EQ(ran.output.find("misclassified"), std::string::npos);
}

TEST_F(EvalProgramTest, MisclassifiedTextsAreListedAsManyAsAsked) {
  const Ran ran = Eval(kRows, Models() + "--errors 1");
  EXPECT_NE(ran.output.find("b: SPF or DKIM -> GRAYLISTING"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("greylisting in effect"), std::string::npos);
}

TEST_F(EvalProgramTest, AReportIsAPageAndTheSameAsJson) {
  const auto report = folder_.path() / "deep" / "report";
  ASSERT_EQ(Eval(kRows, Models() + "--report '" + report.string() + "'").exit_code, 0);
  EXPECT_NE(ReadFile(report / "report.html").find("<h2 id=\"action\">"), std::string::npos);
  const JsonDocument json = ParseJson(ReadFile(report / "report.json"));
  EXPECT_EQ(GetJsonString(GetJson(json, "data"), "file"), "data.jsonl");
  const JsonValue& bnac = GetJson(GetJson(json, "tasks"), "bnac");
  EXPECT_DOUBLE_EQ(GetJsonDouble(GetJson(bnac, "sure"), "accuracy"), 2.0 / 3.0);
  const auto baseline = [&](rapidjson::SizeType at) -> const JsonValue& {
    return GetJson(bnac, "baselines")[at];
  };
  EXPECT_EQ(GetJsonString(baseline(0), "name"), "model alone");
  EXPECT_DOUBLE_EQ(GetJsonDouble(baseline(0), "accuracy"), 1.0 / 3.0);
  EXPECT_EQ(GetJsonString(baseline(1), "name"), "status codes, which fix 33 %");
  EXPECT_EQ(GetJsonString(baseline(2), "name"), "majority class, BLOCK_LIST");
}

TEST_F(EvalProgramTest, TextsOfTheReportAreMasked) {
  const auto report = folder_.path() / "report";
  const char* rows =
      "{\"text\":\"listed by spamhaus ann@acme.example\",\"bnac\":\"TLS\",\"source\":\"log:1\"}\n";
  ASSERT_EQ(Eval(rows, Models() + "--report '" + report.string() + "'").exit_code, 0);
  for (const char* name : {"report.html", "report.json"}) {
    const std::string text = ReadFile(report / name);
    EXPECT_EQ(text.find("ann@acme"), std::string::npos) << name;
    EXPECT_NE(text.find("spamhaus __email__"), std::string::npos) << name;
  }
}

// A recipient that is told gone by all three, one that is full, a block list, and a row that
// accepts both a recipient that is gone and one that is full.
constexpr const char* kSuppressRows =
    "{\"id\":\"gone\",\"text\":\"550 5.1.1 unknown\",\"bnac\":\"RECIPIENT_NOT_FOUND\",\"backoff\":"
    "\"RECIPIENT_ERROR\",\"label\":\"user_unknown\"}\n"
    "{\"id\":\"later\",\"text\":\"450 4.1.1 unknown\",\"bnac\":\"RECIPIENT_NOT_FOUND\",\"backoff\":"
    "\"RECIPIENT_ERROR\",\"label\":\"user_unknown\"}\n"
    "{\"id\":\"listed\",\"text\":\"550 unknown ann@acme.example\",\"bnac\":\"BLOCK_LIST\","
    "\"backoff\":\"INFRASTRUCTURE_BLOCK\",\"label\":\"ip_blacklisted\"}\n"
    "{\"id\":\"open\",\"text\":\"550 "
    "unknown\",\"bnac\":[\"RECIPIENT_NOT_FOUND\",\"RECIPIENT_ERROR\"],"
    "\"backoff\":[\"RECIPIENT_ERROR\",\"MAILBOX_FULL\"],\"label\":[\"user_unknown\",\"mailbox_"
    "full\"]}\n"
    "{\"id\":\"doubt\",\"text\":\"550 unknown\",\"bnac\":\"TLS\",\"backoff\":\"GENERIC_BLOCK\","
    "\"label\":\"unknown\",\"sure\":false}\n"
    "{\"id\":\"half\",\"text\":\"550 unknown\",\"bnac\":\"TLS\"}\n";

TEST_F(EvalProgramTest, SuppressIsMeasuredWhereAllThreeTasksHaveABundle) {
  EXPECT_EQ(Eval(kSuppressRows, Models()).output.find("suppress ("), std::string::npos)
      << "no bundle of backoff";
  test::TestBundle bundle;
  bundle.task = Task::kBackoff;
  test::PublishTestBundle(&store_, bundle);
  const Ran ran = Eval(kSuppressRows, Models() + "--errors 5");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_NE(ran.output.find("suppress (3 sure rows, 1 more are open)"), std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("  listed: BLOCK_LIST, INFRASTRUCTURE_BLOCK, ip_blacklisted\n    550 "
                            "unknown __email__\n"),
            std::string::npos)
      << ran.output;
  const JsonDocument json = ParseJson(Eval(kSuppressRows, Models() + "--json").output);
  const JsonValue& counts = GetJson(GetJson(json, "suppress"), "counts");
  EXPECT_EQ(counts[2][2].GetInt(), 1) << "gone";
  EXPECT_EQ(counts[1][1].GetInt(), 1) << "later";
  EXPECT_EQ(counts[0][2].GetInt(), 1) << "listed, which the model takes for unknown";
}

TEST_F(EvalProgramTest, ASplitHasHalvesWithoutNearCopiesAndWhatImportReads) {
  const std::string rows =
      "{\"text\":\"550 5.1.1 <ann@acme.example>: no such user in this domain\",\"bnac\":"
      "[\"RECIPIENT_NOT_FOUND\",\"BLOCKED\"],\"sure\":true}\n"
      "{\"text\":\"smtp; 550 <bob@b.example>: No such user in this domain\",\"bnac\":\"SPF\"}\n"
      "{\"text\":\"451 greylisting in effect\",\"bnac\":\"GRAYLISTING\",\"x\":1}\n"
      "{\"text\":\"452 mailbox is over its quota\",\"bnac\":\"RECIPIENT_ERROR\",\"x\":2}\n";
  const auto split = folder_.path() / "split";
  const Ran ran = Eval(rows, "--split '" + split.string() + "'");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const std::string learn = ReadFile(split / "learn.jsonl");
  const std::string measure = ReadFile(split / "measure.jsonl");
  const auto has = [](const std::string& file, const std::string& words) {
    return file.find(words) != std::string::npos;
  };
  EXPECT_EQ(has(learn, "ann@acme"), has(learn, "bob@b")) << learn;
  EXPECT_NE(has(learn, "ann@acme"), has(measure, "ann@acme")) << measure;
  EXPECT_FALSE(has(learn, "BLOCKED")) << "the first class is what is learned: " << learn;
  EXPECT_EQ(has(measure, "\"x\":1"), has(measure, "greylisting")) << "lines as they are";
  EXPECT_EQ(std::count(learn.begin(), learn.end(), '\n'), 2);
  EXPECT_EQ(std::count(measure.begin(), measure.end(), '\n'), 2);
}

TEST_F(EvalProgramTest, WrongInputIsNamed) {
  struct Case {
    const char* rows;
    std::string options;
    int exit_code;
    const char* message;
  };
  const Case cases[] = {
      {"{\"id\":\"x\",\"text\":\"t\",\"bnac\":\"SPAM\"}", Models(), 2,
       "row x: 'SPAM' is no class of bnac"},
      {"{\"id\":\"x\"}", Models(), 2, "line 1: key 'text' is missing"},
      {"{\"text\":\"t\",\"backoff\":\"GENERIC_BLOCK\"}", Models(), 1,
       "no row is labelled for a task whose bundle was loaded"},
      {kRows, "", 2, "say --bundle DIR or --models DIR"},
      {kRows, "--bundle /nowhere", 1, "/nowhere"},
  };
  for (const Case& c : cases) {
    const Ran ran = Eval(c.rows, c.options);
    EXPECT_EQ(ran.exit_code, c.exit_code) << ran.errors;
    EXPECT_NE(ran.errors.find(c.message), std::string::npos) << ran.errors;
  }
}

}  // namespace
}  // namespace rebound
