// Snapshots, must-pass texts, promotion and lineage from a terminal.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

class Models : public testing::Test {
 protected:
  Models() {
    test::TestBundle other;
    other.variant = 1;
    test::PublishTestBundle(&bundles_, {});
    test::PublishTestBundle(&bundles_, other);
  }
  test::Ran Run(const std::string& arguments) {
    return test::RunCommand("REBOUND_STORE='" + uri_ + "' REBOUND_MODELS='" +
                            bundles_.root().string() + "' " + test::BinaryPath("rebound-labels") +
                            " " + arguments);
  }
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }

  const std::string uri_ = test::SharedCluster().NewStore();
  TempFolder folder_;
  BundleStore bundles_{folder_.path() / "models"};
};

TEST_F(Models, PromoteAndRollBackAreOneCommandEachAndTheHistoryKnowsWho) {
  for (const int version : {1, 2}) {
    const auto folder = bundles_.BundleFolder(Task::kBnac, version).string();
    EXPECT_EQ(Run("registry upload " + folder).exit_code, 0);
  }
  EXPECT_EQ(Run("promote --task bnac --version 1 --who anna").output,
            "bnac version 1 serves now\n");
  EXPECT_EQ(bundles_.Current(Task::kBnac), 1);
  EXPECT_EQ(Run("promote --task bnac --version 2 --who anna --why 'better on spf'").exit_code, 0);
  EXPECT_EQ(Run("promote --task bnac --version 2").output, "bnac version 2 serves already\n");
  EXPECT_EQ(bundles_.Current(Task::kBnac), 2);
  // What serves before is not in this folder any more: it comes from the registry.
  std::filesystem::remove_all(bundles_.BundleFolder(Task::kBnac, 1));
  const test::Ran back = Run("rollback --task bnac --who bob --why 'worse on tls'");
  EXPECT_EQ(back.output, "bnac version 1 serves now\n") << back.errors;
  EXPECT_EQ(bundles_.Current(Task::kBnac), 1);
  EXPECT_TRUE(std::filesystem::exists(bundles_.BundleFolder(Task::kBnac, 1) / "config.json"));
  const std::string history = Run("registry history --task bnac").output;
  EXPECT_NE(history.find("bnac version 2, by anna: better on spf\n"), std::string::npos) << history;
  EXPECT_NE(history.find("bnac version 1, rolled back, by bob: worse on tls\n"), std::string::npos);
  // The folder served version 2 before the store knew of any promotion.
  EXPECT_NE(
      history.find("bnac version 2, by registry: served before promotions were recorded here"),
      std::string::npos);
  EXPECT_EQ(Run("rollback --task bnac").output, "bnac version 2 serves now\n");
  EXPECT_EQ(Run("rollback --task bnac").errors,
            "rebound-labels: nothing served before bnac version 2: there is nothing to go back "
            "to\n");
  const test::Ran list = Run("registry list");
  EXPECT_NE(list.output.find("bytes stored, serves\n"), std::string::npos) << list.output;
  EXPECT_EQ(ParseJson(Run("registry list --json").output).Size(), 2u);
  EXPECT_EQ(Run("promote --task bnac --version 9").exit_code, 1);
  EXPECT_EQ(Run("promote --task bnac").exit_code, 2);
  EXPECT_EQ(Run("registry").exit_code, 2);
  EXPECT_EQ(Run("registry prune --keep 0").exit_code, 2);
  EXPECT_EQ(Run("registry fetch --task bnac --models " + Path("other")).output,
            Path("other") + "/bnac/000002\n");
}

TEST_F(Models, MustPassTextsAreCheckedAgainstWhatServes) {
  EXPECT_EQ(Run("must-pass add '550 listed by spamhaus' --task bnac --must BLOCK_LIST "
                "--why 'ticket 81' --who anna")
                .output,
            "must-pass 1\n");
  EXPECT_EQ(Run("must-pass check").output, "1 checked, 0 failed\n");
  WriteFileDurably(Path("more.jsonl"),
                   "{\"task\":\"bnac\",\"text\":\"550 listed by spamhaus\",\"never\":"
                   "\"BLOCKED\",\"reason\":\"r\"}\n{\"task\":\"bnac\",\"text\":\"550 "
                   "greylisted\",\"must\":\"SPF\",\"reason\":\"r\"}\n");
  EXPECT_EQ(Run("must-pass import " + Path("more.jsonl") + " --who eve").output,
            "2 new, 2 in the file\n");
  const test::Ran check = Run("must-pass check");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_NE(check.output.find("bnac version 2: must-pass 3 must get SPF and gets GRAYLISTING ("),
            std::string::npos)
      << check.output;
  EXPECT_EQ(Run("must-pass remove 3").exit_code, 0);
  EXPECT_EQ(Run("must-pass check").exit_code, 0);
  const std::string list = Run("must-pass list").output;
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 2);
  EXPECT_EQ(Run("must-pass add '550 x' --task bnac --must BLOCK_LIST").exit_code, 2) << "why?";
  EXPECT_EQ(Run("must-pass remove 3").exit_code, 1);
}

TEST_F(Models, SnapshotsAreNamedComparedAndCarried) {
  WriteFileDurably(Path("in.jsonl"), "{\"text\":\"550 no\",\"bnac\":\"BLOCKED\"}\n");
  Run("import " + Path("in.jsonl"));
  const JsonDocument first = ParseJson(Run("snapshot --name first --json").output);
  EXPECT_EQ(GetJsonStrings(first, "names"), std::vector<std::string>{"first"});
  WriteFileDurably(Path("in.jsonl"), "{\"text\":\"550 no\",\"bnac\":\"SPF\"}\n");
  Run("import " + Path("in.jsonl"));
  EXPECT_EQ(Run("snapshot --name second").exit_code, 0);
  const JsonDocument diff = ParseJson(Run("snapshot diff first second").output);
  EXPECT_EQ(GetJsonInt(diff, "relabelled"), 1);
  EXPECT_EQ(Run("snapshot export first " + Path("out.jsonl")).exit_code, 0);
  const test::Ran exported = Run("snapshot export first");
  EXPECT_EQ(exported.output, ReadFile(Path("out.jsonl")));
  const test::Ran imported = test::RunCommand(
      test::BinaryPath("rebound-labels") + " snapshot import " + Path("out.jsonl") +
      " --json --store '" + test::SharedCluster().NewStore() + "'");
  ASSERT_EQ(imported.exit_code, 0) << imported.errors;
  const JsonDocument other = ParseJson(imported.output);
  EXPECT_EQ(GetJsonString(other, "digest"), GetJsonString(first, "digest"));
  const std::string list = Run("snapshot list").output;
  EXPECT_NE(list.find(", 'second'\n"), std::string::npos) << list;
  EXPECT_EQ(Run("snapshot fly").exit_code, 2);
}

TEST_F(Models, LineageTellsOfTheFolderOfABundle) {
  const test::Ran ran = Run("lineage " + bundles_.BundleFolder(Task::kBnac, 1).string());
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output.substr(0, 36), "model          bnac version 1, hash ");
  EXPECT_EQ(Run("lineage").exit_code, 2);
  EXPECT_EQ(Run("lineage bnac/1").exit_code, 1) << "not registered";
}

TEST_F(Models, AShadowIsNamedToldAndEnded) {
  EXPECT_EQ(Run("shadow --task bnac").output, "bnac has no shadow\n");
  bundles_.Promote(Task::kBnac, 1);
  EXPECT_EQ(Run("shadow --task bnac --version 2").output, "bnac version 2 runs beside version 1\n");
  EXPECT_EQ(bundles_.Shadow(Task::kBnac), 2);
  EXPECT_EQ(Run("shadow --json").output,
            "{\"task\":\"bnac\",\"shadow\":2,\"serves\":1}\n"
            "{\"task\":\"backoff\",\"shadow\":null,\"serves\":null}\n"
            "{\"task\":\"action\",\"shadow\":null,\"serves\":null}\n");
  const test::Ran same = Run("shadow --task bnac --version 1");
  EXPECT_EQ(same.exit_code, 1);
  EXPECT_EQ(same.errors,
            "rebound-labels: version 1 of task bnac serves already: only another one can run "
            "beside it\n");
  EXPECT_EQ(Run("shadow --version 2").exit_code, 2);
  EXPECT_EQ(Run("shadow --task bnac --end").output, "bnac has no shadow\n");
  EXPECT_EQ(bundles_.Shadow(Task::kBnac), std::nullopt);
}

TEST_F(Models, AShadowThatIsNotThereComesFromTheStoreAndABrokenOneIsRefused) {
  bundles_.Promote(Task::kBnac, 1);
  const auto folder = bundles_.BundleFolder(Task::kBnac, 2);
  EXPECT_EQ(Run("registry upload " + folder.string()).exit_code, 0);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(Run("shadow --task bnac --version 2").output, "bnac version 2 runs beside version 1\n");
  EXPECT_EQ(Run("shadow --task bnac --version 9").exit_code, 1);
  EXPECT_EQ(bundles_.Shadow(Task::kBnac), 2);
  EXPECT_EQ(Run("shadow --task bnac --end").exit_code, 0);
  WriteFileDurably(folder / "tokenizer.model", "broken");
  const test::Ran broken = Run("shadow --task bnac --version 2");
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_NE(broken.errors.find("tokenizer.model"), std::string::npos) << broken.errors;
  EXPECT_EQ(bundles_.Shadow(Task::kBnac), std::nullopt);
}

}  // namespace
}  // namespace rebound
