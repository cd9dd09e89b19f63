// Bundles in PostgreSQL: whole or not at all, one content a version, and back out with the bytes
// that went in.
#include <thread>

#include "base/file.h"
#include "labelstore/model_registry.h"
#include "models/classifier.h"
#include "stores.h"

namespace rebound {
namespace {

Promotion Promoted(int version) { return {0, Task::kBnac, version, false, "", "", ""}; }
Promotion RolledBack(int version) { return {0, Task::kBnac, version, true, "", "", ""}; }

TEST(VersionBefore, TheTruthTable) {
  struct Row {
    std::vector<Promotion> history;
    std::optional<int> before;
  };
  const Row rows[] = {
      {{}, std::nullopt},
      {{Promoted(1)}, std::nullopt},
      {{Promoted(1), Promoted(1)}, std::nullopt},
      {{Promoted(1), Promoted(2)}, 1},
      {{Promoted(1), Promoted(2), Promoted(5)}, 2},
      {{Promoted(1), Promoted(2), Promoted(5), RolledBack(2)}, 1},
      {{Promoted(1), Promoted(2), Promoted(5), RolledBack(2), RolledBack(1)}, std::nullopt},
      {{Promoted(1), Promoted(2), RolledBack(1), Promoted(3)}, 1},
      {{Promoted(2), Promoted(1)}, 2},
      {{Promoted(2), Promoted(1), Promoted(2)}, 1},
      {{Promoted(1), RolledBack(9)}, 1},
  };
  for (const Row& row : rows) {
    std::string history;
    for (const Promotion& each : row.history) {
      history += (each.rollback ? " back to " : " ") + std::to_string(each.version);
    }
    EXPECT_EQ(VersionBefore(row.history), row.before) << history;
  }
}

class RegistryTest : public testing::Test {
 protected:
  std::string FetchError(int version) {
    return ErrorOf([&] { registry_.Fetch(Task::kBnac, version, &there_); });
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  ModelRegistry registry_{uri_};
  TempFolder folder_;
  BundleStore here_{folder_.path() / "here"};
  BundleStore there_{folder_.path() / "there"};
};

TEST_F(RegistryTest, WhatWasUploadedIsFetchedByteForByteAndLoads) {
  const auto uploaded = Publish(&here_);
  const RegisteredModel model = registry_.Upload(uploaded);
  EXPECT_EQ(model.version, 1);
  EXPECT_TRUE(model.stored);
  EXPECT_EQ(model.digest.size(), 64u);
  const auto fetched = registry_.Fetch(Task::kBnac, 1, &there_);
  EXPECT_EQ(fetched, there_.BundleFolder(Task::kBnac, 1));
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(uploaded)) {
    const std::string content = ReadFile(entry.path());
    EXPECT_EQ(ReadFile(fetched / entry.path().filename()), content) << entry.path();
    bytes += static_cast<int64_t>(content.size());
  }
  EXPECT_EQ(model.bytes, bytes);
  EXPECT_EQ(Classifier::Load(fetched)->hash(), Classifier::Load(uploaded)->hash());
  EXPECT_EQ(there_.Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(registry_.Fetch(Task::kBnac, 1, &there_), fetched) << "again";
}

TEST_F(RegistryTest, TheSameUploadTwiceOrAtOnceIsOne) {
  const auto folder = Publish(&here_);
  const std::string digest = registry_.Upload(folder).digest;
  EXPECT_EQ(registry_.Upload(folder).digest, digest);
  const auto next = Publish(&here_, 1);
  std::vector<std::thread> threads;
  std::vector<std::string> errors(6);
  for (size_t i = 0; i < errors.size(); ++i) {
    threads.emplace_back(
        [&, i] { errors[i] = ErrorOf([&] { ModelRegistry(uri_).Upload(next); }); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) EXPECT_EQ(error, "no error");
  EXPECT_EQ(registry_.Versions(Task::kBnac).size(), 2u);
  EXPECT_EQ(Value(uri_, "SELECT count(*) FROM rebound.bundle_files"), "12");
  registry_.Fetch(Task::kBnac, 2, &there_);
}

TEST_F(RegistryTest, OtherContentForAVersionIsAConflict) {
  registry_.Upload(Publish(&here_));
  EXPECT_EQ(ErrorOf([&] { registry_.Upload(Publish(&there_, 7)); }),
            "conflict: bnac version 1 is registered with other weights");
  // The same weights, another file.
  const auto card = here_.BundleFolder(Task::kBnac, 1) / "config.json";
  std::string config = ReadFile(card);
  config.replace(config.find("\"trained_at\": \""), 15, "\"trained_at\": \"9");
  WriteFileDurably(card, config);
  EXPECT_EQ(ErrorOf([&] { registry_.Upload(here_.BundleFolder(Task::kBnac, 1)); }).substr(0, 65),
            "conflict: bnac version 1 is in the registry with other files (dig");
  EXPECT_EQ(FetchError(1).substr(0, 10), "conflict: ") << "the folder holds another version 1";
}

TEST_F(RegistryTest, ADamagedBundleIsNotUploaded) {
  const auto folder = Publish(&here_);
  WriteFileDurably(folder / "golden.jsonl", "{}");
  EXPECT_EQ(ErrorOf([&] { registry_.Upload(folder); }),
            "corrupt: " + (folder / "golden.jsonl").string() +
                " does not have the sha256 that config.json states: restore the bundle or train "
                "anew");
  EXPECT_EQ(ErrorOf([&] { registry_.Upload(folder_.path() / "none"); }).substr(0, 10),
            "not_found:");
  EXPECT_TRUE(registry_.Versions(Task::kBnac).empty());
}

TEST_F(RegistryTest, CorruptBytesInTheDatabaseAreRefusedAndNothingIsWritten) {
  registry_.Upload(Publish(&here_));
  EXPECT_NE(ErrorOf([&] { Change(uri_, "UPDATE rebound.bundle_files SET content = ''"); }),
            "no error")
      << "the database itself refuses";
  Change(uri_,
         "ALTER TABLE rebound.bundle_files DISABLE TRIGGER refuse_change;"
         "UPDATE rebound.bundle_files SET content = set_byte(content, 100, "
         "(get_byte(content, 100) + 1) % 256) WHERE name = 'weights.safetensors'");
  EXPECT_EQ(FetchError(1).substr(0, 72),
            "corrupt: weights.safetensors of bnac version 1 in the registry has sha25");
  EXPECT_TRUE(there_.Versions(Task::kBnac).empty());
  // Also where somebody mended the sha256 beside it.
  Change(uri_, "UPDATE rebound.bundle_files SET sha256 = encode(sha256(content), 'hex')");
  EXPECT_EQ(FetchError(1).substr(0, 51), "corrupt: bnac version 1 in the registry has digest ");
}

TEST_F(RegistryTest, KnowsWhetherAFolderHoldsWhatItHolds) {
  const auto matches = [&](int version) { return registry_.Matches(Task::kBnac, version, there_); };
  EXPECT_EQ(ErrorOf([&] { matches(1); }), "not_found: bnac version 1 is not registered");
  registry_.Upload(Publish(&here_));
  EXPECT_FALSE(matches(1)) << "it is not there";
  const auto fetched = registry_.Fetch(Task::kBnac, 1, &there_);
  EXPECT_TRUE(matches(1));
  WriteFileDurably(fetched / "golden.jsonl", "damaged");
  EXPECT_FALSE(matches(1));
  registry_.Upload(Publish(&here_, 1));
  Publish(&there_, 2);
  EXPECT_FALSE(matches(2)) << "another one";
  // One that was never uploaded is known by its weights.
  const auto own = Publish(&there_, 3);
  OpenLabelStore(uri_)->RegisterModel(
      Task::kBnac, 3, Classifier::Load(own)->config().sha256.at("weights.safetensors"), 0);
  EXPECT_TRUE(matches(3));
}

TEST_F(RegistryTest, AVersionWithoutFilesSaysHowToStoreThem) {
  OpenLabelStore(uri_)->RegisterModel(Task::kBnac, 4, "aa", 0);
  const std::string expected =
      " are not in the registry: rebound-labels registry upload DIR stores them";
  EXPECT_EQ(FetchError(4), "not_found: the files of bnac version 4" + expected);
  EXPECT_EQ(FetchError(9), "not_found: the files of bnac version 9" + expected);
  EXPECT_FALSE(registry_.Find(Task::kBnac, 4)->stored);
}

TEST_F(RegistryTest, ADamagedCopyIsReplacedByTheRegistrys) {
  registry_.Upload(Publish(&here_));
  const auto fetched = registry_.Fetch(Task::kBnac, 1, &there_);
  std::filesystem::remove(fetched / "tokenizer.model");
  WriteFileDurably(fetched / "golden.jsonl", "damaged");
  registry_.Fetch(Task::kBnac, 1, &there_);
  EXPECT_EQ(Classifier::Load(fetched)->config().version, 1);
}

TEST_F(RegistryTest, PromotionsAndRollbacksAreAHistoryWithWhoAndWhy) {
  for (uint64_t variant = 0; variant < 3; ++variant) registry_.Upload(Publish(&here_, variant));
  EXPECT_EQ(registry_.Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(ErrorOf([&] { registry_.Rollback(Task::kBnac, "bob", ""); }),
            "not_found: no version of bnac serves");
  EXPECT_TRUE(registry_.Promote(Task::kBnac, 1, "anna", "the first"));
  EXPECT_EQ(ErrorOf([&] { registry_.Rollback(Task::kBnac, "bob", ""); }),
            "not_found: nothing served before bnac version 1: there is nothing to go back to");
  EXPECT_FALSE(registry_.Promote(Task::kBnac, 1, "anna", "again"));
  registry_.Promote(Task::kBnac, 2, "anna", "");
  registry_.Promote(Task::kBnac, 3, "anna", "");
  EXPECT_EQ(registry_.Rollback(Task::kBnac, "bob", "it was worse"), 2);
  EXPECT_EQ(registry_.Current(Task::kBnac)->version, 2);
  EXPECT_EQ(registry_.Rollback(Task::kBnac, "bob", "and worse"), 1);
  const auto history = registry_.History(Task::kBnac);
  ASSERT_EQ(history.size(), 5u);
  EXPECT_EQ(history[0].by, "anna");
  EXPECT_EQ(history[0].reason, "the first");
  EXPECT_TRUE(history[3].rollback);
  EXPECT_EQ(history[3].by, "bob");
  EXPECT_EQ(history[3].reason, "it was worse");
  EXPECT_EQ(history[3].at.size(), 20u);
  EXPECT_EQ(
      ErrorOf([&] { registry_.Promote(Task::kBnac, 9, "anna", ""); }),
      "not_found: bnac version 9 is not registered: rebound-labels registry upload DIR brings "
      "it in");
}

TEST_F(RegistryTest, WhatServedBeforeAnythingWasRecordedIsAdopted) {
  EXPECT_FALSE(registry_.Adopt(Task::kBnac, here_)) << "nothing serves";
  Publish(&here_);
  here_.Promote(Task::kBnac, 1);
  EXPECT_TRUE(registry_.Adopt(Task::kBnac, here_));
  EXPECT_FALSE(registry_.Adopt(Task::kBnac, here_)) << "once";
  registry_.Upload(Publish(&here_, 1));
  registry_.Promote(Task::kBnac, 2, "anna", "");
  EXPECT_EQ(registry_.Rollback(Task::kBnac, "anna", ""), 1);
  EXPECT_EQ(registry_.History(Task::kBnac)[0].reason,
            "served before promotions were recorded here");
}

TEST_F(RegistryTest, PruningKeepsTheNewestTheCurrentAndTheOneBefore) {
  for (uint64_t variant = 0; variant < 6; ++variant) registry_.Upload(Publish(&here_, variant));
  registry_.Promote(Task::kBnac, 1, "anna", "");
  registry_.Promote(Task::kBnac, 3, "anna", "");
  std::vector<int> pruned;
  for (const RegisteredModel& model : registry_.Prune(2)) pruned.push_back(model.version);
  EXPECT_EQ(pruned, (std::vector<int>{4, 2}));
  EXPECT_TRUE(registry_.Prune(2).empty());
  for (const int version : {1, 3, 5, 6}) registry_.Fetch(Task::kBnac, version, &there_);
  EXPECT_EQ(FetchError(4).substr(0, 9), "not_found");
  // The number still means the same bundle, which may come back.
  EXPECT_EQ(registry_.Find(Task::kBnac, 4)->digest.size(), 64u);
  registry_.Upload(here_.BundleFolder(Task::kBnac, 4));
  registry_.Fetch(Task::kBnac, 4, &there_);
}

}  // namespace
}  // namespace rebound
