#include "base/json.h"
#include "stores.h"

namespace rebound {
namespace {

class RunContract : public LabelStoreContract {
 protected:
  TrainingRun Start(Task task = Task::kBnac) {
    TrainingRun run;
    run.task = task;
    run.snapshot_id = store_->MakeSnapshot().id;
    run.seed = 18446744073709551615u;
    run.id = store_->StartRun(run);
    return run;
  }
};

TEST_P(RunContract, ARunIsRunningUntilItIsFinished) {
  TrainingRun run = Start(Task::kBackoff);
  auto runs = store_->ReadRuns(10);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].status, "running");
  EXPECT_EQ(runs[0].task, Task::kBackoff);
  EXPECT_EQ(runs[0].seed, 18446744073709551615u);

  run.status = "promoted";
  run.reason = "better by 0.4 points";
  run.version = 7;
  run.weights_sha256 = std::string(64, 'a');
  run.scorecard_json = R"({"z":1,  "a":[2]})";
  store_->FinishRun(run);
  runs = store_->ReadRuns(10);
  EXPECT_EQ(runs[0].status, "promoted");
  EXPECT_EQ(runs[0].reason, "better by 0.4 points");
  EXPECT_EQ(runs[0].version, 7);
  EXPECT_EQ(runs[0].weights_sha256, std::string(64, 'a'));
  EXPECT_EQ(runs[0].scorecard_json, R"({"z":1,  "a":[2]})");
  EXPECT_EQ(runs[0].incumbent_scorecard_json, "");
}

TEST_P(RunContract, RunsComeNewestFirstAndAsManyAsAsked) {
  const int64_t first = Start().id;
  const int64_t second = Start().id;
  const int64_t third = Start().id;
  const auto runs = store_->ReadRuns(2);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].id, third);
  EXPECT_EQ(runs[1].id, second);
  EXPECT_LT(first, second);
}

TEST_P(RunContract, TwoRunsOfOneStoreMayRunAtOnce) {
  Start(Task::kBnac);
  Start(Task::kAction);
  for (const TrainingRun& run : store_->ReadRuns(10)) EXPECT_EQ(run.status, "running");
}

TEST_P(RunContract, ARunOfAnUnknownSnapshotCannotStart) {
  TrainingRun run;
  run.snapshot_id = 42;
  ExpectError(ErrorCode::kNotFound, "no snapshot 42", [&] { store_->StartRun(run); });
}

TEST_P(RunContract, AWrongEndOfARunIsRefused) {
  TrainingRun run = Start();
  run.status = "running";
  ExpectError(ErrorCode::kInvalidArgument,
              "run 1 cannot end with the status 'running': promoted, not_promoted or failed",
              [&] { store_->FinishRun(run); });
  run.status = "failed";
  run.scorecard_json = "{";
  EXPECT_THROW(store_->FinishRun(run), Error);
  run.scorecard_json = "";
  run.id = 77;
  ExpectError(ErrorCode::kNotFound, "no training run 77", [&] { store_->FinishRun(run); });
}

TEST_P(RunContract, TheLastPromotionIsTheCurrentVersion) {
  store_->RegisterModel(Task::kBnac, 1, "aa", 0);
  store_->RegisterModel(Task::kBnac, 2, "bb", Start().id);
  store_->RecordPromotion(Task::kBnac, 1);
  store_->RecordPromotion(Task::kBnac, 2);
  store_->RecordPromotion(Task::kBnac, 1);
  store_->RecordPromotion(Task::kBnac, 1);
  const JsonDocument stats = ParseJson(store_->StatsJson());
  EXPECT_EQ(GetJsonInt(GetJson(stats, "current"), "bnac"), 1);
  EXPECT_TRUE(GetJson(GetJson(stats, "current"), "action").IsNull());
}

TEST_P(RunContract, TheLastVersionIsToldByTask) {
  EXPECT_EQ(store_->LastVersion(Task::kBnac), 0);
  store_->RegisterModel(Task::kBnac, 7, "aa", 0);
  store_->RegisterModel(Task::kAction, 9, "bb", 0);
  store_->RegisterModel(Task::kBnac, 3, "cc", 0);
  EXPECT_EQ(store_->LastVersion(Task::kBnac), 7);
  EXPECT_EQ(store_->LastVersion(Task::kBackoff), 0);
}

TEST_P(RunContract, AVersionIsRegisteredOnceForAll) {
  store_->RegisterModel(Task::kBnac, 1, "aa", 0);
  store_->RegisterModel(Task::kBnac, 1, "aa", 0);
  ExpectError(ErrorCode::kConflict, "bnac version 1 is registered with other weights",
              [&] { store_->RegisterModel(Task::kBnac, 1, "bb", 0); });
  ExpectError(ErrorCode::kNotFound, "no training run 9",
              [&] { store_->RegisterModel(Task::kBnac, 3, "cc", 9); });
  ExpectError(ErrorCode::kNotFound, "bnac version 5 is not registered",
              [&] { store_->RecordPromotion(Task::kBnac, 5); });
}

INSTANTIATE_TEST_SUITE_P(Stores, RunContract, kStores, StoreName);

}  // namespace
}  // namespace rebound
