// rebound-train as its users meet it: a real PostgreSQL, exit statuses, signals, logs.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/model_registry.h"
#include "labelstore/must_pass.h"
#include "models/bundle_store.h"
#include "tests/functional/train/small_store.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using test::Ran;

class TrainProgramTest : public testing::Test {
 protected:
  TrainProgramTest() : uri_(test::SharedCluster().NewStore()) {
    test::FillSmallStore(OpenLabelStore(uri_).get(), true);
  }

  std::string Command(const std::string& options, int epochs = 3) const {
    return "'" + test::BinaryPath("rebound-train") + "' --store '" + uri_ + "' --models '" +
           models().string() + "' --vocabulary 200 --epochs " + std::to_string(epochs) + " " +
           options;
  }
  Ran TrainWith(const std::string& options) const { return test::RunCommand(Command(options)); }
  // Sends `signal` once the run says its first epoch.
  Ran TrainAndSignal(const std::string& options, const std::string& signal) const {
    const std::string log = (folder_.path() / "log").string();
    const std::string endless = Command(options + " --patience 1000000", 1000000);
    return test::RunCommand(endless + " >'" + log + "' 2>&1 & pid=$!; until grep -q 'epoch 1 ' '" +
                            log + "'; do kill -0 $pid || break; sleep 0.02; done; kill -" + signal +
                            " $pid; wait $pid; code=$?; cat '" + log + "'; exit $code");
  }
  std::filesystem::path models() const { return folder_.path() / "models"; }
  BundleStore Bundles() const { return BundleStore(models()); }
  std::string FileOf(Task task, int version, const std::string& name) const {
    return ReadFile(Bundles().BundleFolder(task, version) / name);
  }
  std::vector<TrainingRun> LastRuns(size_t count) const {
    return OpenLabelStore(uri_)->ReadRuns(count);
  }

  std::string uri_;
  TempFolder folder_;
};

TEST_F(TrainProgramTest, AllTasksAreTrainedOnOneSnapshotWithOneTokenizer) {
  const Ran ran = TrainWith("--network bag");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  for (const Task task : kTasks) EXPECT_EQ(Bundles().Current(task), 1);
  const std::string tokenizer = FileOf(Task::kBnac, 1, "tokenizer.model");
  EXPECT_EQ(FileOf(Task::kBackoff, 1, "tokenizer.model"), tokenizer);
  EXPECT_EQ(FileOf(Task::kAction, 1, "tokenizer.model"), tokenizer);
  const std::vector<TrainingRun> runs = LastRuns(3);
  for (const TrainingRun& run : runs) {
    EXPECT_EQ(run.status, "promoted") << run.reason;
    EXPECT_EQ(run.snapshot_id, runs[0].snapshot_id);
  }
}

TEST_F(TrainProgramTest, AWorseModelExitsWithThreeAndTheFirstServesOn) {
  ASSERT_EQ(TrainWith("--task bnac --network bag").exit_code, 0);
  const Ran ran = TrainWith("--task bnac --network bag --learning-rate 0.0000001");
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_NE(ran.errors.find("tokenizer  reused bnac version 1"), std::string::npos) << ran.errors;
  EXPECT_NE(ran.errors.find("promoted false"), std::string::npos);
  EXPECT_NE(ran.errors.find("macro-F1 is lower than the incumbent's by -"), std::string::npos);
  EXPECT_EQ(Bundles().Current(Task::kBnac), 1);
  EXPECT_EQ(Bundles().Versions(Task::kBnac), (std::vector<int>{1, 2}));
  EXPECT_EQ(LastRuns(1)[0].status, "not_promoted");
}

TEST_F(TrainProgramTest, OnAMachineOfItsOwnItComparesWithWhatTheFleetServes) {
  ASSERT_EQ(TrainWith("--task bnac --network bag").exit_code, 0);
  const BundleStore elsewhere(folder_.path() / "elsewhere");
  const Ran ran = test::RunCommand("'" + test::BinaryPath("rebound-train") + "' --store '" + uri_ +
                                   "' --models '" + elsewhere.root().string() +
                                   "' --task bnac --network bag --epochs 3 --learning-rate "
                                   "0.0000001");
  EXPECT_EQ(ran.exit_code, 3) << ran.errors;
  EXPECT_NE(ran.errors.find("incumbent  promoted in the registry bnac version 1"),
            std::string::npos)
      << ran.errors;
  EXPECT_NE(ran.errors.find("tokenizer  reused bnac version 1"), std::string::npos);
  EXPECT_NE(ran.errors.find("macro-F1 is lower than the incumbent's by -"), std::string::npos);
  EXPECT_EQ(elsewhere.Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(elsewhere.Versions(Task::kBnac), std::vector<int>{2}) << "the incumbent is not kept";
  EXPECT_EQ(ModelRegistry(uri_).Current(Task::kBnac)->version, 1);
}

TEST_F(TrainProgramTest, WeightsAreTheSameBytesWhateverTheEnvironment) {
  ASSERT_EQ(TrainWith("--task bnac --promote always").exit_code, 0);
  const Ran other = test::RunCommand(
      "OPENBLAS_NUM_THREADS=2 OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=default "
      "OPENBLAS_CORETYPE=Prescott " +
      Command("--task bnac --promote always"));
  ASSERT_EQ(other.exit_code, 0) << other.errors;
  EXPECT_EQ(Sha256Hex(FileOf(Task::kBnac, 1, "weights.safetensors")),
            Sha256Hex(FileOf(Task::kBnac, 2, "weights.safetensors")));
  const BundleConfig config = ParseBundleConfig(FileOf(Task::kBnac, 2, "config.json"));
  EXPECT_EQ(config.environment.at("OPENBLAS_NUM_THREADS"), "1");
  EXPECT_EQ(config.environment.at("device"), "cpu");
}

TEST_F(TrainProgramTest, AVersionIsVerifiedFromItsRecordAndATamperedOneIsNot) {
  ASSERT_EQ(TrainWith("--task bnac --network bag --members 1 --seed 3").exit_code, 0);
  // None of the recorded options is said again; the snapshot is not the newest any more.
  Submission later;
  later.text = "550 a text that came later";
  later.labels[0] = 0;
  later.contributor = "test";
  OpenLabelStore(uri_)->Submit({later});
  const std::string verify = "'" + test::BinaryPath("rebound-train") + "' --store '" + uri_ +
                             "' --models '" + models().string() + "' --task bnac --verify ";
  const Ran same = test::RunCommand(verify + "1");
  EXPECT_EQ(same.exit_code, 0) << same.errors;
  EXPECT_NE(same.errors.find("verify  file tokenizer.model  same true  what the same "),
            std::string::npos)
      << same.errors;
  EXPECT_EQ(same.errors.find("warning"), std::string::npos) << same.errors;
  EXPECT_EQ(LastRuns(9).size(), 1u);
  const auto weights = Bundles().BundleFolder(Task::kBnac, 1) / "weights.safetensors";
  std::string bytes = ReadFile(weights);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteFileDurably(weights, bytes);
  const Ran tampered = test::RunCommand(verify + "1");
  EXPECT_EQ(tampered.exit_code, 1);
  EXPECT_NE(tampered.errors.find("file weights.safetensors  same false  what differs first at "
                                 "byte " +
                                 std::to_string(bytes.size() - 1) + " ("),
            std::string::npos)
      << tampered.errors;
  // A record of another machine.
  const auto config = Bundles().BundleFolder(Task::kBnac, 1) / "config.json";
  std::string text = ReadFile(config);
  const std::string glibc = "\"glibc\": \"";
  text.insert(text.find(glibc) + glibc.size(), "9");
  WriteFileDurably(config, text);
  const Ran elsewhere = test::RunCommand(verify + "1");
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_NE(elsewhere.errors.find("the environment is not that of the run: glibc was 92."),
            std::string::npos)
      << elsewhere.errors;
  EXPECT_NE(elsewhere.errors.find("the bytes differ, and so does the environment (1 differences"),
            std::string::npos)
      << elsewhere.errors;
}

TEST_F(TrainProgramTest, WhatCannotBeVerifiedSaysWhy) {
  BundleStore bundles(models());
  test::PublishTestBundle(&bundles, {});
  const Ran old = TrainWith("--task bnac --verify 1");
  EXPECT_EQ(old.exit_code, 1);
  EXPECT_NE(old.errors.find("bnac version 1 records no training options: it was made before "
                            "bundles did, and cannot be verified; train anew"),
            std::string::npos)
      << old.errors;
  EXPECT_EQ(TrainWith("--verify 1").exit_code, 2) << "of which task?";
  EXPECT_EQ(TrainWith("--task bnac --verify 7").exit_code, 1);
}

TEST_F(TrainProgramTest, AFailedMustPassTextExitsWithThreeAndTheBundleIsInTheRegistry) {
  PostgresConnection connection(uri_);
  MustPass entry;
  entry.text = "550 please spamhaus host listed";
  entry.label = FindLabel(Task::kBnac, "GRAYLISTING").value();
  entry.added_by = "anna";
  entry.reason = "ticket 81";
  MustPassList list(&connection);
  const int64_t id = list.Add(entry);
  ModelRegistry registry(uri_);
  const Ran refused = TrainWith("--task bnac --network bag --members 1");
  EXPECT_EQ(refused.exit_code, 3) << refused.errors;
  EXPECT_NE(refused.errors.find("must-pass 1 must get GRAYLISTING and gets "), std::string::npos);
  EXPECT_NE(refused.errors.find("said anna: ticket 81"), std::string::npos);
  EXPECT_TRUE(registry.Find(Task::kBnac, 1)->stored);
  EXPECT_EQ(registry.Current(Task::kBnac), std::nullopt);
  list.Remove(id, "anna");
  EXPECT_EQ(TrainWith("--task bnac --network bag --members 1 --registry off").exit_code, 0);
  EXPECT_FALSE(registry.Find(Task::kBnac, 2)->stored);
  EXPECT_EQ(registry.Current(Task::kBnac)->version, 2);
  EXPECT_EQ(registry.Current(Task::kBnac)->by, "training run 2");
}

TEST_F(TrainProgramTest, OutOfFoldAnswersAreAFileAndNothingIsPublished) {
  const std::string file = (folder_.path() / "folds.jsonl").string();
  const Ran ran = TrainWith("--network bag --members 1 --folds 2 --out-of-fold '" + file + "'");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const std::string lines = ReadFile(file);
  const JsonDocument first = ParseJson(lines.substr(0, lines.find('\n')));
  for (const Task task : kTasks) {
    EXPECT_EQ(GetJson(GetJson(first, TaskKey(task)), "probabilities").MemberCount(),
              TaskLabels(task).size());
  }
  EXPECT_FALSE(std::filesystem::exists(models()));
  EXPECT_TRUE(LastRuns(9).empty());
  EXPECT_EQ(TrainWith("--folds 1").exit_code, 2);
}

TEST_F(TrainProgramTest, AModelsFolderThatWasRemovedIsFilledAnew) {
  ASSERT_EQ(TrainWith("--task bnac --network bag").exit_code, 0);
  std::filesystem::remove_all(models());
  // The registry remembers version 1: the number is not given again, and it is the incumbent still.
  const Ran ran = TrainWith("--task bnac --network bag --seed 2 --promote always");
  EXPECT_NE(ran.errors.find("incumbent  promoted in the registry bnac version 1"),
            std::string::npos)
      << ran.errors;
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(Bundles().Current(Task::kBnac), 2);
  EXPECT_EQ(LastRuns(1)[0].status, "promoted");
}

TEST_F(TrainProgramTest, CtrlCLeavesNoBundleAndIsRecorded) {
  const Ran ran = TrainAndSignal("--task bnac --seed 77", "INT");
  EXPECT_EQ(ran.exit_code, 130) << ran.output;
  EXPECT_NE(ran.output.find("rebound-train: cancelled"), std::string::npos) << ran.output;
  EXPECT_FALSE(std::filesystem::exists(models()));
  const TrainingRun run = LastRuns(1)[0];
  EXPECT_EQ(run.seed, 77u);
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.reason, "cancelled");
}

TEST_F(TrainProgramTest, TermEndsAllTasksAndEachRecordSaysSo) {
  const Ran ran = TrainAndSignal("--seed 78", "TERM");
  EXPECT_EQ(ran.exit_code, 130) << ran.output;
  EXPECT_FALSE(std::filesystem::exists(models()));
  for (const TrainingRun& run : LastRuns(3)) {
    EXPECT_EQ(run.seed, 78u);
    EXPECT_EQ(run.reason, "cancelled");
  }
}

TEST_F(TrainProgramTest, AKilledRunLeavesNoBundleAndTheNextOneTrains) {
  EXPECT_EQ(TrainAndSignal("--seed 79", "KILL").exit_code, 137);
  EXPECT_FALSE(std::filesystem::exists(models()));
  const Ran ran = TrainWith("--network bag");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
}

TEST_F(TrainProgramTest, TheJsonLogIsOneObjectALine) {
  const Ran ran = TrainWith("--task action --network bag --members 1 --json-log");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  std::vector<std::string> events;
  for (const std::string_view line : Split(ran.output, '\n')) {
    if (line.empty()) continue;
    const JsonDocument object = ParseJson(line);
    EXPECT_EQ(GetJsonString(object, "task"), "action");
    events.emplace_back(GetJsonString(object, "event"));
    if (events.back() == "result") {
      EXPECT_TRUE(GetJsonBool(object, "promoted"));
      EXPECT_EQ(GetJsonInt(object, "version"), 1);
    }
  }
  EXPECT_EQ(events, (std::vector<std::string>{"tokenizer", "data", "epoch", "epoch", "epoch",
                                              "network", "epoch", "epoch", "epoch", "calibration",
                                              "fallback", "result"}));
}

TEST_F(TrainProgramTest, TheLearningCurveIsEventsATableAndAReportAndNeedsNoPublishing) {
  const std::string report = (folder_.path() / "out").string();
  const std::string flags =
      "--network bag --members 1 --learning-curve=10 --no-publish --report '" + report + "' ";
  const Ran ran = TrainWith(flags + "--task bnac --json-log");
  ASSERT_EQ(ran.exit_code, 3) << ran.errors;
  std::vector<int64_t> groups;
  std::string events;
  for (const std::string_view line : Split(ran.output, '\n')) {
    if (line.empty()) continue;
    const JsonDocument object = ParseJson(line);
    const std::string event(GetJsonString(object, "event"));
    if (event != "epoch") events += event + " ";
    if (event == "plan") {
      EXPECT_EQ(GetJsonInt(object, "trainings_of_the_model"), 2);
      EXPECT_EQ(GetJsonInt(object, "trainings_of_the_learning_curve"), 3);
    }
    if (event == "learning_curve") {
      EXPECT_GE(GetJsonInt(object, "about_seconds"), 0);
    }
    if (event == "learning_point") groups.push_back(GetJsonInt(object, "groups"));
  }
  EXPECT_EQ(
      events,
      "tokenizer data plan network calibration fallback baseline baseline baseline learning_curve "
      "learning_point learning_point learning_point learning_point result ");
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0], groups[3] / 8);
  EXPECT_FALSE(std::filesystem::exists(models()));
  EXPECT_EQ(LastRuns(1)[0].reason, "measured only: nothing was to be published");
  EXPECT_NE(ReadFile(report + "/bnac.html").find("Learning curve"), std::string::npos);
  const JsonDocument json = ParseJson(ReadFile(report + "/bnac.json"));
  const JsonValue& bnac = GetJson(GetJson(json, "tasks"), "bnac");
  EXPECT_EQ(GetJson(GetJson(bnac, "training_run"), "learning_curve").Size(), 4u);
  EXPECT_EQ(GetJson(bnac, "baselines").Size(), 3u);
  // For people, and for all tasks at once.
  const Ran table = TrainWith(flags);
  ASSERT_EQ(table.exit_code, 3) << table.errors;
  for (const Task task : kTasks) {
    const std::string name(TaskName(task));
    EXPECT_NE(table.output.find(name + ": on "), std::string::npos) << table.output;
    EXPECT_TRUE(std::filesystem::exists(report + "/" + name + ".html"));
  }
  EXPECT_NE(table.output.find("  fastText on the same rows "), std::string::npos);
}

TEST_F(TrainProgramTest, WithoutFastTextOnlyItsBaselineIsMissing) {
  const Ran ran = test::RunCommand(
      "PATH=/nowhere " + Command("--task bnac --network bag --members 1 --learning-curve=40"));
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_NE(ran.errors.find("warning  message no fastText baseline: the program fasttext is not in "
                            "$PATH (Debian's package fasttext has it)"),
            std::string::npos)
      << ran.errors;
  const std::string card = FileOf(Task::kBnac, 1, "scorecard.json");
  EXPECT_NE(card.find("learning_curve"), std::string::npos);
  EXPECT_EQ(card.find("fastText"), std::string::npos);
}

TEST_F(TrainProgramTest, AReportThatCannotBeWrittenIsToldBeforeTheTraining) {
  const Ran ran = TrainWith("--report /dev/null/out");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("--report: cannot make /dev/null/out: Not a directory"),
            std::string::npos)
      << ran.errors;
  EXPECT_TRUE(LastRuns(1).empty());
}

TEST_F(TrainProgramTest, WrongUseExitsWithTwoAndSaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"--task spam", "--task: 'spam' is none of bnac, backoff, action, all (see --help)"},
      {"--members 0", "--members: 1 to 64 (see --help)"},
      {"--network lstm", "--network: 'lstm' is none of auto, bag, table_cnn (see --help)"},
      {"--promote maybe", "--promote: say auto, always or never (see --help)"},
      {"--device tpu", "--device: say cpu or cuda (see --help)"},
      {"--no-publish --promote always",
       "--no-publish: nothing would be there for --promote always (see --help)"},
      {"--learning-curve=0", "--learning-curve: at least 1 group (see --help)"},
      {"--learning-curve=many", "the argument ('many') for option '--learning-curve' is invalid"},
      {"--threads 0", "--threads: at least 1 (see --help)"},
      {"--jobs 0", "--jobs: at least 1 (see --help)"},
      {"--snapshot 999999999 --task bnac", "snapshot 999999999 is not in the label store"},
  };
  for (const auto& [options, message] : cases) {
    const Ran ran = TrainWith(options);
    EXPECT_EQ(ran.exit_code, std::string(options).find("snapshot") == std::string::npos ? 2 : 1)
        << options;
    EXPECT_NE(ran.errors.find(message), std::string::npos) << options << ": " << ran.errors;
  }
  EXPECT_FALSE(std::filesystem::exists(models()));
}

TEST_F(TrainProgramTest, AStoreThatIsAwayFailsWithOne) {
  const Ran ran = test::RunCommand("'" + test::BinaryPath("rebound-train") +
                                   "' --store 'host=/nowhere dbname=x' --task bnac --models '" +
                                   models().string() + "'");
  EXPECT_EQ(ran.exit_code, 1) << ran.errors;
  EXPECT_FALSE(ran.errors.empty());
}

}  // namespace
}  // namespace rebound
