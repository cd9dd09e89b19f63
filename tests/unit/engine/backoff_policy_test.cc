#include "engine/backoff_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

using Words = std::vector<std::string_view>;

const BackoffAdvice& Of(const BackoffPolicy& policy, std::string_view label) {
  return policy.Of(FindLabel(Task::kBackoff, label).value());
}

std::string ErrorOf(std::string_view yaml) {
  try {
    BackoffPolicy::Parse(yaml, "p.yaml");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

std::filesystem::path Deployed(const char* name) {
  return std::filesystem::path(std::getenv("REBOUND_SOURCE")) / "deploy" / name;
}

TEST(BackoffPolicy, GivesListsByClassInTheFilesOrder) {
  const auto policy = BackoffPolicy::Parse(
      "# a comment\n"
      "GRAYLISTING: {fields: [tenantid, grouping], actions: [rate]}\n"
      "CONCURRENCY_LIMIT:\n"
      "  actions:\n"
      "    - connectinterval\n"
      "    - concurrency\n"
      "  fields: [remotemx]\n"
      "RECIPIENT_ERROR: {fields: [], actions: []}\n",
      "p.yaml");
  EXPECT_EQ(Of(policy, "GRAYLISTING").fields, Words({"tenantid", "grouping"}));
  EXPECT_EQ(Of(policy, "GRAYLISTING").actions, Words({"rate"}));
  EXPECT_EQ(Of(policy, "CONCURRENCY_LIMIT").actions, Words({"connectinterval", "concurrency"}));
  EXPECT_TRUE(Of(policy, "RECIPIENT_ERROR").fields.empty());
  EXPECT_TRUE(Of(policy, "MAILBOX_FULL").actions.empty()) << "a class that is not in the file";
  EXPECT_EQ(policy.active(), 2u);
}

TEST(BackoffPolicy, MayBeJsonWithTabsAsWell) {
  const auto policy = BackoffPolicy::Parse(
      "{\n\t\"GRAYLISTING\": {\n\t\t\"fields\": [\"jobid\"],\n\t\t\"actions\": "
      "[\"rate\"]\n\t}\n}\n",
      "p.json");
  EXPECT_EQ(Of(policy, "GRAYLISTING").fields, Words({"jobid"}));
}

TEST(BackoffPolicy, MayNameAListOnce) {
  const auto policy = BackoffPolicy::Parse(
      "GRAYLISTING: {fields: &us [localip, grouping], actions: [rate]}\n"
      "GENERIC_BLOCK: {fields: *us, actions: [rate]}\n",
      "p.yaml");
  EXPECT_EQ(Of(policy, "GENERIC_BLOCK").fields, Words({"localip", "grouping"}));
}

TEST(BackoffPolicy, EveryErrorTellsItsLine) {
  const struct {
    const char* yaml;
    const char* error;
  } kRows[] = {
      {"", "p.yaml:1: the file is empty; it must map classes to lists"},
      {"# nothing\n", "p.yaml:1: the file is empty; it must map classes to lists"},
      {"\n- GRAYLISTING\n", "p.yaml:2: the file must be a map"},
      {"# x\nGREYLISTING: {fields: [], actions: []}\n",
       "p.yaml:2: there is no backoff class 'GREYLISTING'"},
      {"SPF: {fields: [], actions: []}\n", "p.yaml:1: there is no backoff class 'SPF'"},
      {"GRAYLISTING:\n  fields: [jobid, ip]\n  actions: [rate]\n",
       "p.yaml:2: there is no field 'ip'; there are localip, remoteip, remotemx, recipientdomain, "
       "jobid, transportid, grouping, tenantid"},
      {"GRAYLISTING:\n  fields: [jobid]\n  actions:\n    - rate\n    - sleep\n",
       "p.yaml:5: there is no action 'sleep'; there are suspend, rate, concurrency, "
       "connectinterval"},
      {"GRAYLISTING:\n  fields: [jobid]\n  actions: [rate,\n    rate]\n",
       "p.yaml:4: action 'rate' is given twice"},
      {"GRAYLISTING: {fields: [], actions: []}\n\nGRAYLISTING: {fields: [], actions: []}\n",
       "p.yaml:3: 'GRAYLISTING' is given twice"},
      {"GRAYLISTING:\n  fields: []\n  actions: []\n  fields: []\n",
       "p.yaml:4: 'fields' is given twice"},
      {"GRAYLISTING:\n  fields: []\n  actions: []\n  seconds: 3\n",
       "p.yaml:4: there is no key 'seconds'; a class has 'fields' and 'actions'"},
      {"\nGRAYLISTING: rate\n", "p.yaml:2: GRAYLISTING must be a map"},
      {"GRAYLISTING:\n", "p.yaml:1: GRAYLISTING must be a map"},
      {"GRAYLISTING:\n  fields: jobid\n  actions: [rate]\n", "p.yaml:2: 'fields' must be a list"},
      {"GRAYLISTING:\n  fields: [jobid]\n  actions: [[rate]]\n",
       "p.yaml:3: each action must be a word"},
      {"GRAYLISTING:\n  fields: [~]\n  actions: [rate]\n", "p.yaml:2: each field must be a word"},
      {"? [a]\n: 1\n", "p.yaml:1: a key must be a word"},
      {"\nGRAYLISTING: {actions: [rate]}\n",
       "p.yaml:2: GRAYLISTING has no 'fields' (write [] for none)"},
      {"\nGRAYLISTING: {fields: [jobid]}\n",
       "p.yaml:2: GRAYLISTING has no 'actions' (write [] for none)"},
      {"\nGRAYLISTING: {fields: [jobid], actions: []}\n",
       "p.yaml:2: GRAYLISTING has one list that is empty and one that is not, so nothing would be "
       "done: empty both"},
      {"GRAYLISTING: {fields: []\n", "p.yaml:2: this is no YAML: end of map flow not found"},
      {"GRAYLISTING: *lists\n", "p.yaml:1: this is no YAML: the referenced anchor is not defined"},
  };
  for (const auto& row : kRows) EXPECT_EQ(ErrorOf(row.yaml), row.error) << row.yaml;
}

TEST(BackoffPolicy, MoreThanOneDocumentIsRefused) {
  const std::string error = "p.yaml:2: there must be one document, and nothing before or after it";
  EXPECT_EQ(ErrorOf("--- {}\n--- {}\n"), error);
}

// yaml-cpp 0.7 read empty documents without end here, and the server took all memory.
TEST(BackoffPolicy, AStrayCommaBeforeTheMapIsRefused) {
  EXPECT_EQ(ErrorOf(", {}"),
            "p.yaml:1: there must be one document, and nothing before or after it");
}

TEST(BackoffPolicy, DepthAndBytesThatAreNoTextAreRefused) {
  for (const std::string& hostile :
       {std::string(200'000, '['), std::string(200'000, '{'), std::string("\xFF\xFE\x00\x01", 4),
        std::string("a: \0b", 5), std::string("&a [*a]"), std::string("&a {*a : *a}")}) {
    EXPECT_NE(ErrorOf(hostile), "");
  }
}

TEST(BackoffPolicy, TheDefaultFileConsidersEveryClassAndSuspendsForNoRecipientsCause) {
  const std::string text = ReadFile(Deployed("backoff-policy.yaml"));
  const auto policy = BackoffPolicy::Parse(text, "backoff-policy.yaml");
  for (const std::string_view label : TaskLabels(Task::kBackoff)) {
    EXPECT_NE(text.find("\n" + std::string(label) + ": "), std::string::npos) << label;
  }
  for (const std::string_view label : {"RECIPIENT_ERROR", "MAILBOX_FULL"}) {
    EXPECT_TRUE(Of(policy, label).fields.empty()) << label;
    EXPECT_TRUE(Of(policy, label).actions.empty()) << label;
  }
  std::set<std::string_view> suspends;
  for (size_t i = 0; i < TaskLabels(Task::kBackoff).size(); ++i) {
    const auto& [fields, actions] = policy.Of(i);
    if (std::find(actions.begin(), actions.end(), "suspend") == actions.end()) continue;
    suspends.insert(TaskLabels(Task::kBackoff)[i]);
    EXPECT_EQ(std::count(fields.begin(), fields.end(), "recipientdomain"), 0);
  }
  EXPECT_EQ(suspends,
            std::set<std::string_view>({"CONTENT_REJECTED_VIRUS", "INFRASTRUCTURE_BLOCK"}));
}

TEST(BackoffPolicy, TheCommentedExampleUsesEveryWordAndLoads) {
  const std::string text = ReadFile(Deployed("backoff-policy.example.yaml"));
  EXPECT_GT(BackoffPolicy::Parse(text, "example").active(), 0u);
  for (const auto word : kBackoffFields) EXPECT_NE(text.find(word), std::string::npos) << word;
  for (const auto word : kBackoffActions) EXPECT_NE(text.find(word), std::string::npos) << word;
}

class BackoffPolicyFileTest : public testing::Test {
 protected:
  void Write(const std::string& action) {
    WriteFileDurably(path_, "GRAYLISTING: {fields: [jobid], actions: [" + action + "]}\n");
  }
  static Words Actions(const BackoffPolicyFile& file) {
    return Of(*file.Current(), "GRAYLISTING").actions;
  }
  TempFolder folder_;
  std::filesystem::path path_ = folder_.path() / "p.yaml";
};

TEST_F(BackoffPolicyFileTest, WithoutAFileNothingIsAdvised) {
  BackoffPolicyFile none("");
  EXPECT_EQ(none.Current()->active(), 0u);
  EXPECT_TRUE(none.Look());
}

TEST_F(BackoffPolicyFileTest, AFileThatIsMissingOrRefusedAtTheStartIsAnError) {
  const auto error = [&] {
    try {
      BackoffPolicyFile file(path_);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(error(),
            "--backoff-policy: cannot open " + path_.string() + ": No such file or directory");
  Write("sleep");
  EXPECT_EQ(error().rfind(path_.string() + ":1: there is no action 'sleep'", 0), 0u) << error();
}

TEST_F(BackoffPolicyFileTest, AChangeIsTakenOverAndABadOneIsNot) {
  Write("rate");
  BackoffPolicyFile file(path_);
  EXPECT_EQ(Actions(file), Words({"rate"}));
  const auto held = file.Current();
  Write("suspend");
  EXPECT_TRUE(file.Look());
  EXPECT_EQ(Actions(file), Words({"suspend"}));
  EXPECT_EQ(Of(*held, "GRAYLISTING").actions, Words({"rate"})) << "what a request holds stays";
  Write("sleep");
  EXPECT_FALSE(file.Look());
  EXPECT_FALSE(file.Look());
  EXPECT_EQ(Actions(file), Words({"suspend"}));
  Write("concurrency");
  EXPECT_TRUE(file.Look());
  EXPECT_EQ(Actions(file), Words({"concurrency"}));
}

TEST_F(BackoffPolicyFileTest, AFileThatVanishesChangesNothingUntilItIsBack) {
  Write("rate");
  BackoffPolicyFile file(path_);
  std::filesystem::remove(path_);
  EXPECT_FALSE(file.Look());
  EXPECT_EQ(Actions(file), Words({"rate"}));
  Write("rate");
  EXPECT_TRUE(file.Look()) << "the same bytes again";
}

TEST_F(BackoffPolicyFileTest, ARefusedFileThatIsPutBackAsItWasIsWell) {
  Write("rate");
  BackoffPolicyFile file(path_);
  Write("sleep");
  EXPECT_FALSE(file.Look());
  Write("rate");
  EXPECT_TRUE(file.Look());
}

}  // namespace
}  // namespace rebound
