// A store saved, lost and brought back.
#include "labelstore/backup.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "contributions.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/model_registry.h"
#include "labelstore/reviews.h"
#include "labelstore/schema.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

void Fill(const std::string& uri) {
  Submission seed;
  seed.text = "550 mailbox full \xE2\x80\x8B emoji \xF0\x9F\x93\xAB 'quote'";
  seed.contributor = "seed";
  seed.origin = LabelOrigin::kSeed;
  seed.labels[0] = 1;
  OpenLabelStore(uri)->Submit({seed});
  OpenProposalStore(uri)->Propose({Proposes("550 a b", "unknown"), Proposes("550 c d", "unknown"),
                                   Proposes("550 e f", "unknown")});
  ReviewRequest request;
  request.proposals = {1};
  request.reviewer = "rita";
  request.decision = ReviewDecision::kAccept;
  const auto desk = OpenReviewDesk(uri);
  desk->Decide(request);
  request.proposals = {2};
  request.decision = ReviewDecision::kReject;
  desk->Decide(request);
}

class Backup : public testing::Test {
 protected:
  Backup() { Fill(uri_); }
  std::string Restore(const std::string& uri) {
    return ErrorOf([&] { RestoreStore(uri, file_); });
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  const TempFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "store.backup";
};

TEST_F(Backup, ComesBackWholeInAnEmptyDatabase) {
  const std::string digest = OpenLabelStore(uri_)->MakeSnapshot().digest;
  const BackupReport saved = BackUpStore(uri_, file_);
  EXPECT_EQ(saved.rows.at("messages"), 2);
  EXPECT_EQ(saved.rows.at("proposals"), 3);
  const std::string other = test::SharedCluster().NewDatabase();
  const BackupReport restored = RestoreStore(other, file_);
  EXPECT_EQ(restored.rows, saved.rows);
  EXPECT_EQ(restored.sha256, saved.sha256);
  // It is a store like any: the same snapshot, new proposals, undo.
  EXPECT_EQ(OpenLabelStore(other)->MakeSnapshot().digest, digest);
  EXPECT_EQ(OpenReviewDesk(other)->Undo("rita").proposals.at(0).id, 2);
  EXPECT_EQ(OpenProposalStore(other)->Propose({Proposes("550 g h", "unknown")}).items[0].id, 4);
  EXPECT_TRUE(Holds(ErrorOf([&] {
                      PostgresConnection(other).Transact(
                          SqlIsolation::kReadCommitted,
                          [](SqlTransaction& sql) { sql.Execute("DELETE FROM rebound.audit"); });
                    }),
                    "never changed"));
}

TEST_F(Backup, IsRefusedWhereThereIsAStoreAlready) {
  BackUpStore(uri_, file_);
  EXPECT_EQ(Restore(uri_), "conflict: " + DescribePostgres(uri_) +
                               " holds a label store: restore into an empty database");
}

TEST_F(Backup, ADamagedOneIsNoticedBeforeAnythingIsWritten) {
  BackUpStore(uri_, file_);
  std::string bytes = ReadFile(file_);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFileDurably(file_, bytes);
  const std::string other = test::SharedCluster().NewDatabase();
  EXPECT_EQ(Restore(other), "corrupt: " + file_.string() +
                                " is not the archive that its manifest describes: take another "
                                "backup");
  EXPECT_EQ(Column(other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'rebound'"), "0");
}

TEST_F(Backup, OneThatWasCutIsNoticedBeforeAnythingIsWritten) {
  BackUpStore(uri_, file_);
  const std::string archive = ReadFile(file_), manifest = ReadFile(file_.string() + ".json");
  const std::string other = test::SharedCluster().NewDatabase();
  WriteFileDurably(file_, archive.substr(0, archive.size() / 2));
  EXPECT_TRUE(Holds(Restore(other), "corrupt: " + file_.string() + " is not the archive that"));
  WriteFileDurably(file_, archive);
  WriteFileDurably(file_.string() + ".json", manifest.substr(0, manifest.size() / 2));
  EXPECT_EQ(Restore(other),
            "corrupt: " + file_.string() + ".json was cut or altered: take another backup");
  EXPECT_EQ(Column(other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'rebound'"), "0");
}

TEST_F(Backup, OneOfANewerStoreIsRefused) {
  BackUpStore(uri_, file_);
  std::string manifest = ReadFile(file_.string() + ".json");
  const std::string version = std::to_string(Migrations().size());
  const std::string key = "\"schema_version\": ";
  manifest.replace(manifest.find(key) + key.size(), version.size(), "99");
  WriteFileDurably(file_.string() + ".json", manifest);
  EXPECT_EQ(Restore(test::SharedCluster().NewDatabase()),
            "invalid_argument: " + file_.string() +
                " has version 99 of the label store and this program knows only " + version +
                ": use the release that wrote it, or a newer one");
}

// The files of the registry's bundles are rows like others.
TEST_F(Backup, TheBundlesOfTheRegistryAreInIt) {
  const TempFolder folder;
  BundleStore bundles(folder.path() / "made");
  const auto made = test::MakeTestDraft({});
  const auto published = bundles.BundleFolder(Task::kBnac, bundles.Publish(made->draft));
  ModelRegistry registry(uri_);
  registry.Upload(published);
  registry.Promote(Task::kBnac, 1, "anna", "the first");
  BackUpStore(uri_, file_);
  const std::string other = test::SharedCluster().NewDatabase();
  RestoreStore(other, file_);
  BundleStore fetched(folder.path() / "fetched");
  const auto there = ModelRegistry(other).Fetch(Task::kBnac, 1, &fetched);
  EXPECT_EQ(ReadFile(there / "weights.safetensors"), ReadFile(published / "weights.safetensors"));
  EXPECT_EQ(ModelRegistry(other).Current(Task::kBnac)->version, 1);
}

TEST_F(Backup, AManifestThatTellsOtherRowsIsNoticed) {
  BackUpStore(uri_, file_);
  std::string manifest = ReadFile(file_.string() + ".json");
  const std::string three = "\"proposals\": {\n      \"rows\": 3";
  ASSERT_NE(manifest.find(three), std::string::npos) << manifest;
  manifest.replace(manifest.find(three) + three.size() - 1, 1, "4");
  WriteFileDurably(file_.string() + ".json", manifest);
  EXPECT_EQ(Restore(test::SharedCluster().NewDatabase()),
            "corrupt: table proposals came back otherwise than it was backed up");
}

TEST_F(Backup, WhatIsNotThereIsNotFound) {
  EXPECT_TRUE(Holds(Restore(uri_), "not_found: "));
  const std::string empty = test::SharedCluster().NewDatabase();
  EXPECT_EQ(ErrorOf([&] { BackUpStore(empty, file_); }),
            "not_found: " + DescribePostgres(empty) + " has no label store: nothing to back up");
}

}  // namespace
}  // namespace rebound
