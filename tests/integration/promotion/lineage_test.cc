// From a model back to the run, the snapshot and the rows.
#include "labelstore/lineage.h"

#include "base/file.h"
#include "base/json.h"
#include "models/classifier.h"
#include "stores.h"

namespace rebound {
namespace {

class LineageTest : public testing::Test {
 protected:
  LineageTest() {
    const auto store = OpenLabelStore(uri_);
    store->Submit({Says("550 no such user", Task::kBnac, "RECIPIENT_NOT_FOUND"),
                   Says("550 spf failed", Task::kBnac, "SPF")});
    snapshot_ = store->MakeSnapshot();
    test::TestBundle bundle;
    const auto made = test::MakeTestDraft(bundle);
    made->draft.config.snapshot_id = snapshot_.id;
    made->draft.config.snapshot_digest = snapshot_.digest;
    made->draft.config.seed = 9;
    folder_ = bundles_.BundleFolder(Task::kBnac, bundles_.Publish(made->draft));
    config_ = Classifier::Load(folder_)->config();
    run_.snapshot_id = snapshot_.id;
    run_.seed = 7;
    run_.id = store->StartRun(run_);
    run_.status = "promoted";
    run_.reason = "no incumbent; macro-F1 0.9000";
    run_.details_json =
        R"({"code_version":"0.1.0","options":{"epochs":"8"},"environment":{"threads":"1"},)"
        R"("tokenizer":{"sha256":"aabbccddeeff00112233","origin":"trained on 2 texts"},)"
        R"("incumbent":{"version":3,"weights_sha256":"0011223344556677889900"},)"
        R"("must_pass":{"checked":1,"failed":[]},"verdict":{"promote":true,"reasons":["r"]}})";
    store->FinishRun(run_);
    store->RegisterModel(Task::kBnac, 1, config_.sha256.at("weights.safetensors"), run_.id);
    ModelRegistry(uri_).Promote(Task::kBnac, 1, "anna", "go");
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  TempFolder temp_;
  BundleStore bundles_{temp_.path()};
  std::filesystem::path folder_;
  SnapshotInfo snapshot_;
  BundleConfig config_;
  TrainingRun run_;
};

TEST_F(LineageTest, AModelIsFoundByNameHashAndFolder) {
  const std::string hash = config_.sha256.at("weights.safetensors");
  for (const std::string& reference :
       {std::string("bnac/1"), std::string("bnac/000001"), hash.substr(0, 8), hash.substr(0, 16),
        hash, folder_.string()}) {
    const Lineage lineage = FindLineage(uri_, reference);
    EXPECT_EQ(lineage.version, 1) << reference;
    EXPECT_EQ(lineage.weights_sha256, hash);
    EXPECT_EQ(lineage.run->id, run_.id);
    EXPECT_EQ(lineage.seed, 7u);
    EXPECT_EQ(lineage.snapshot->info.digest, snapshot_.digest);
    EXPECT_EQ(lineage.promotions.at(0).by, "anna");
  }
  EXPECT_EQ(ErrorOf([&] { FindLineage(uri_, "bnac/2"); }),
            "not_found: bnac/2 is not registered in this store: rebound-labels registry list shows "
            "those that are");
  EXPECT_EQ(ErrorOf([&] { FindLineage(uri_, "00000000"); }),
            "not_found: no registered model has a hash that begins with 00000000");
  EXPECT_EQ(ErrorOf([&] { FindLineage(uri_, "spam/1"); }),
            "invalid_argument: 'spam/1' names no model: give TASK/VERSION, 8 digits or more of its "
            "hash, or the folder of a bundle");
}

TEST_F(LineageTest, JsonTellsEverythingThatMadeTheModel) {
  const JsonDocument json = ParseJson(WriteLineageJson(FindLineage(uri_, "bnac/1")));
  EXPECT_EQ(GetJsonString(json, "task"), "bnac");
  EXPECT_EQ(GetJsonInt(GetJson(json, "run"), "id"), run_.id);
  EXPECT_EQ(GetJsonInt(json, "seed"), 7);
  EXPECT_EQ(GetJsonString(json, "code_version"), "0.1.0");
  EXPECT_EQ(GetJsonString(GetJson(json, "options"), "epochs"), "8");
  EXPECT_EQ(GetJsonString(GetJson(json, "environment"), "threads"), "1");
  EXPECT_EQ(GetJsonString(GetJson(json, "tokenizer"), "origin"), "trained on 2 texts");
  EXPECT_EQ(GetJsonInt(GetJson(json, "incumbent"), "version"), 3);
  EXPECT_TRUE(GetJsonBool(GetJson(json, "verdict"), "promote"));
  const JsonValue& snapshot = GetJson(json, "snapshot");
  EXPECT_EQ(GetJsonString(snapshot, "digest"), snapshot_.digest);
  EXPECT_EQ(GetJsonInt(GetJson(snapshot, "rows_by_origin"), "contribution"), 2);
}

TEST_F(LineageTest, TextTellsItToPeople) {
  const std::string text = WriteLineageText(FindLineage(uri_, "bnac/1"));
  for (const char* part :
       {"model          bnac version 1, hash ", "by anna: go", "\nseed           7\n", "2 rows, ",
        "; 2 of origin contribution", "options        epochs 8\n",
        "tokenizer      aabbccddeeff0011, trained on 2 texts\n",
        "compared with  version 3 (0011223344556677)\n", "verdict        no incumbent; macro-F1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST_F(LineageTest, RowsAreThoseThatTrainedIt) {
  std::string rows;
  WriteTrainingRows(uri_, FindLineage(uri_, "bnac/1"),
                    [&](std::string_view line) { rows += line; });
  int64_t expected = 0;
  OpenLabelStore(uri_)->ReadSnapshot(snapshot_.id, [&](const SnapshotRow& row) {
    if (row.held_out) return;
    ++expected;
    EXPECT_NE(rows.find(row.text), std::string::npos) << row.text;
  });
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), expected);
}

TEST_F(LineageTest, AFolderOfAnotherStoreIsKnownByItsOwnConfig) {
  const std::string other = test::SharedCluster().NewStore();
  const Lineage lineage = FindLineage(other, folder_.string());
  EXPECT_FALSE(lineage.model.has_value());
  EXPECT_EQ(lineage.seed, 9u) << "as config.json says";
  EXPECT_FALSE(lineage.snapshot.has_value());
  EXPECT_NE(WriteLineageText(lineage).find(snapshot_.digest + ", not in this store"),
            std::string::npos);
  EXPECT_EQ(ErrorOf([&] { WriteTrainingRows(other, lineage, [](std::string_view) {}); }),
            "not_found: the snapshot " + snapshot_.digest +
                " of this model is not in this store: rebound-labels snapshot import brings it "
                "from the one that has it");
}

TEST_F(LineageTest, TheRegistrysCopyTellsWhatARunDidNotRecord) {
  const std::string other = test::SharedCluster().NewStore();
  ModelRegistry(other).Upload(folder_);
  const Lineage lineage = FindLineage(other, "bnac/1");
  EXPECT_EQ(lineage.seed, 9u);
  EXPECT_EQ(lineage.snapshot_digest, snapshot_.digest);
  EXPECT_FALSE(lineage.run.has_value());
}

}  // namespace
}  // namespace rebound
