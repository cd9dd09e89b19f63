// A server's models follow the registry, whatever the database, the disk and people do.
#include <poll.h>

#include <fstream>

#include "serve/config_check.h"
#include "serve/registry_follower.h"
#include "tests/api/serve/served.h"
#include "tests/integration/fleet/fleet_store.h"
#include "tests/support/metrics_page.h"

namespace rebound::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNow{0};
constexpr milliseconds kLong{20'000};  // never waited for in full

TEST(NextFollow, TheTruthTable) {
  const auto now = ReloadClock::now();
  const auto later = now + std::chrono::seconds(1);
  const Promotion seven{3, Task::kBnac, 7, false, "", "", ""};
  struct Row {
    FollowState state;
    std::optional<int> current;
    bool forced;
    FollowStep step;
  };
  const Row rows[] = {
      {{}, 7, true, FollowStep::kNothing},
      {{seven, 3, 0, {}}, 7, true, FollowStep::kNothing},
      {{seven, 3, 0, {}}, 6, false, FollowStep::kTake},
      {{seven, 3, 0, {}}, std::nullopt, false, FollowStep::kTake},
      {{seven, 2, 0, {}}, 7, false, FollowStep::kTake},  // another one of that number, perhaps
      {{seven, 2, 0, {}}, 6, false, FollowStep::kTake},
      {{seven, 0, 1, later}, 6, false, FollowStep::kWait},
      {{seven, 0, 1, later}, 6, true, FollowStep::kTake},
      {{seven, 0, 1, now}, 6, false, FollowStep::kTake},
  };
  int number = 0;
  for (const Row& row : rows) {
    EXPECT_EQ(NextFollow(row.state, row.current, now, row.forced), row.step) << number;
    ++number;
  }
}

class FollowerTest : public FleetTest {
 protected:
  explicit FollowerTest(std::vector<Task> tasks = {Task::kBnac})
      : reloader_(folder_.path() / "replica", std::move(tasks), &engine_) {}

  RegistryFollower& follower() {
    if (!follower_) follower_.emplace(FollowerOptions{uri_}, &reloader_);
    return *follower_;
  }
  // A round that looks at everything and forgets pauses.
  void Look() {
    follower().Wake();
    follower().Follow(kNow);
  }
  int Serving() {
    const ModelSet models = engine_.Take();  // keeps it alive
    const Classifier* const model = models.Get(Task::kBnac);
    return model == nullptr ? 0 : model->config().version;
  }
  RegistryTask Bnac() { return *follower().Status().Find(Task::kBnac); }

  Engine engine_;
  Reloader reloader_;
  std::optional<RegistryFollower> follower_;
};

TEST_F(FollowerTest, FillsAnEmptyFolderAndTakesEachPromotionAndRollback) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 1);
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  UploadAndPromote(Task::kBnac, "SPF");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 2);
  registry_.Rollback(Task::kBnac, "anna", "");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 1);
  EXPECT_TRUE(Bnac().taken);
  EXPECT_EQ(Bnac().problem, "");
  EXPECT_EQ(Bnac().fetched, 2u) << "a roll-back finds the version on disk";
}

TEST_F(FollowerTest, TasksThatAreNotServedAndNotPromotedAreLeftAlone) {
  UploadAndPromote(Task::kAction);
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 0);
  EXPECT_FALSE(std::filesystem::exists(replica_.TaskFolder(Task::kAction)));
  EXPECT_EQ(WhyRegistryGaveNone(follower().Status(), Task::kBnac),
            "no version was promoted in the registry: rebound-labels registry upload DIR, then "
            "rebound-labels promote --task bnac --version N; it is taken by itself");
  // What is on disk serves meanwhile.
  PublishTestBundle(&replica_, {});
  reloader_.LookNow(false);
  Look();
  EXPECT_EQ(Serving(), 1);
}

TEST_F(FollowerTest, ADamagedVersionLeavesTheOldOneServingAndIsTakenOnceItIsMended) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  const int second = UploadAndPromote(Task::kBnac, "SPF");
  Flip(second, "weights.safetensors");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 1);
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  EXPECT_FALSE(Bnac().taken);
  EXPECT_EQ(Bnac().problem.substr(0, 65),
            "weights.safetensors of bnac version 2 in the registry has sha256 ");
  EXPECT_EQ(replica_.Versions(Task::kBnac), std::vector<int>{1}) << "nothing of it was written";
  follower().Follow(kNow);
  EXPECT_EQ(Bnac().failures, 1u) << "a pause is kept";
  Look();
  EXPECT_EQ(Bnac().failures, 2u);
  Flip(second, "weights.safetensors");
  Look();
  EXPECT_EQ(Serving(), 2);
  EXPECT_EQ(Bnac().problem, "");
}

TEST_F(FollowerTest, ANewPromotionEndsThePausesOfTheOneBefore) {
  UploadAndPromote(Task::kBnac);
  Flip(1, "golden.jsonl");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 0);
  EXPECT_EQ(WhyRegistryGaveNone(follower().Status(), Task::kBnac).substr(0, 62),
            "version 1 of the registry cannot be taken: golden.jsonl of bna");
  UploadAndPromote(Task::kBnac, "SPF");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 2);
}

TEST_F(FollowerTest, OtherContentUnderTheNumberIsToldAndTakenOnceItIsMovedAway) {
  TestBundle other;
  other.always = "DKIM";
  PublishTestBundle(&replica_, other);
  reloader_.LookNow(false);
  UploadAndPromote(Task::kBnac, "SPF");
  follower().Follow(kLong);
  const std::string folder = replica_.BundleFolder(Task::kBnac, 1);
  EXPECT_EQ(Bnac().problem, folder + " holds another bundle: move it away to take this one");
  EXPECT_EQ(Serving(), 1);
  const std::string ours = engine_.Take().Get(Task::kBnac)->hash();
  std::filesystem::rename(folder, folder_.path() / "away");
  Look();
  EXPECT_EQ(Bnac().problem, "");
  EXPECT_NE(engine_.Take().Get(Task::kBnac)->hash(), ours) << "the number alone is the same";
  EXPECT_EQ(engine_.Take().Get(Task::kBnac)->hash(),
            Classifier::Load(trainer_.BundleFolder(Task::kBnac, 1))->hash());
}

TEST_F(FollowerTest, AFileThatWasDamagedOnDiskIsFetchedAnewAtTheNextStart) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  std::ofstream(replica_.BundleFolder(Task::kBnac, 1) / "tokenizer.model", std::ios::app) << "x";
  Engine engine;
  Reloader reloader(replica_.root(), {Task::kBnac}, &engine);
  reloader.LookNow(false);
  EXPECT_EQ(engine.Take().Get(Task::kBnac), nullptr);
  RegistryFollower started({uri_}, &reloader);
  started.Follow(kLong);
  EXPECT_NE(engine.Take().Get(Task::kBnac), nullptr);
}

TEST_F(FollowerTest, TheRegistryDecidesOverACurrentThatWasChangedHere) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  UploadAndPromote(Task::kBnac, "SPF");
  follower().Follow(kLong);
  replica_.Promote(Task::kBnac, 1);
  reloader_.LookNow(false);
  EXPECT_EQ(Serving(), 1);
  Look();
  EXPECT_EQ(Serving(), 2);
}

TEST_F(FollowerTest, StartsWithoutTheDatabaseAndCatchesUp) {
  PublishTestBundle(&replica_, {});
  reloader_.LookNow(false);
  UploadAndPromote(Task::kBnac);
  const int second = UploadAndPromote(Task::kBnac, "SPF");
  SharedCluster().Kill();
  follower().Follow(kNow);
  EXPECT_EQ(Serving(), 1) << "what is on disk";
  EXPECT_FALSE(follower().Status().connected);
  EXPECT_NE(follower().Status().problem.find("tells nothing while it is away"), std::string::npos);
  EXPECT_EQ(WhyRegistryGaveNone(follower().Status(), Task::kBnac).substr(0, 41),
            "the registry cannot be read: database tes");
  SharedCluster().Start();
  follower().Follow(kLong);
  EXPECT_TRUE(follower().Status().connected);
  EXPECT_EQ(Serving(), second);
}

TEST_F(FollowerTest, ALostDatabaseChangesNothingAndWhatWasMissedIsTaken) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  SharedCluster().Kill();
  follower().Follow(kNow);
  EXPECT_FALSE(follower().Status().connected);
  EXPECT_EQ(Serving(), 1);
  SharedCluster().Start();
  registry_.Upload(trainer_.BundleFolder(Task::kBnac, 1));  // its connection is made anew
  UploadAndPromote(Task::kBnac, "SPF");
  UploadAndPromote(Task::kBnac, "DKIM");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 3) << "the last alone";
  EXPECT_EQ(replica_.Versions(Task::kBnac), (std::vector<int>{1, 3}));
}

TEST_F(FollowerTest, ADatabaseThatWasRestoredToAnEarlierDayIsFollowedToo) {
  UploadAndPromote(Task::kBnac);
  UploadAndPromote(Task::kBnac, "SPF");
  follower().Follow(kLong);
  EXPECT_EQ(Serving(), 2);
  Sql("ALTER TABLE rebound.promotions DISABLE TRIGGER refuse_change;"
      "DELETE FROM rebound.promotions WHERE version = 2");
  Look();
  EXPECT_EQ(Serving(), 1);
}

TEST_F(FollowerTest, OldVersionsThatTheRegistryKeepsLeaveTheDisk) {
  TestBundle own;
  own.variant = 9;
  PublishTestBundle(&replica_, own);  // of this machine alone
  for (int version = 1; version <= 9; ++version) {
    if (version == 1) {
      trainer_.Publish(MakeTestDraft({})->draft);
      continue;
    }
    TestBundle bundle;
    bundle.variant = static_cast<uint64_t>(version);
    trainer_.Publish(MakeTestDraft(bundle)->draft);
    registry_.Upload(trainer_.BundleFolder(Task::kBnac, version));
    if (version == 8) continue;
    registry_.Promote(Task::kBnac, version, "anna", "");
    follower().Follow(kLong);
    ASSERT_EQ(Serving(), version);
  }
  EXPECT_EQ(replica_.Versions(Task::kBnac), (std::vector<int>{1, 4, 5, 6, 7, 9}));
  registry_.Promote(Task::kBnac, 2, "anna", "an old one");
  follower().Follow(kLong);
  EXPECT_EQ(replica_.Versions(Task::kBnac), (std::vector<int>{1, 2, 4, 5, 6, 7, 9}))
      << "what serves stays, however old";
}

TEST_F(FollowerTest, TheServersRoleSufficesToFollow) {
  follower_.emplace(FollowerOptions{LoginOf("rebound_server")}, &reloader_);
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  EXPECT_EQ(follower().Status().problem, "");
  EXPECT_EQ(Serving(), 1);
}

TEST_F(FollowerTest, ALoginWithoutRightsIsToldWhatItLacks) {
  follower_.emplace(FollowerOptions{LoginOf("pg_monitor")}, &reloader_);
  follower().Follow(kNow);
  EXPECT_FALSE(follower().Status().connected);
  EXPECT_NE(follower().Status().problem.find("permission denied"), std::string::npos)
      << follower().Status().problem;
}

TEST_F(FollowerTest, ADatabaseWithoutTheSchemaSaysHowToMakeIt) {
  const std::string empty = SharedCluster().NewDatabase();
  follower_.emplace(FollowerOptions{empty}, &reloader_);
  follower().Follow(kNow);
  EXPECT_NE(follower().Status().problem.find("rebound-labels migrate"), std::string::npos)
      << follower().Status().problem;
}

TEST_F(FollowerTest, ItsThreadFollowsAndStopsAtOnce) {
  UploadAndPromote(Task::kBnac);
  follower().Start();
  for (const int version : {1, 2}) {
    if (version == 2) UploadAndPromote(Task::kBnac, "SPF");
    for (int i = 0; i < 4000 && Serving() != version; ++i) poll(nullptr, 0, 5);
    EXPECT_EQ(Serving(), version);
  }
  EXPECT_TRUE(follower().Stop(kLong));
}

TEST_F(FollowerTest, MetricsTellWhatIsPromotedAndHowLongItWaits) {
  UploadAndPromote(Task::kBnac);
  follower().Follow(kLong);
  UploadAndPromote(Task::kBnac, "SPF");
  Flip(2, "weights.safetensors");
  follower().Follow(kLong);
  const auto page = [&](std::chrono::seconds later) {
    std::string text;
    MetricsText metrics(&text);
    WriteRegistryMetrics(follower().Status(), reloader_.Statuses(),
                         std::chrono::system_clock::now() + later, &metrics);
    return ReadMetricsPage(text);
  };
  const std::map<std::string, std::string> bnac = {{"task", "bnac"}};
  const MetricsPage behind = page(std::chrono::seconds(100));
  EXPECT_EQ(behind.Value("rebound_registry_connected"), 1);
  EXPECT_EQ(behind.Value("rebound_registry_version", bnac), 2);
  EXPECT_GE(behind.Value("rebound_registry_lag_seconds", bnac), 100);
  EXPECT_LT(behind.Value("rebound_registry_lag_seconds", bnac), 200);
  EXPECT_EQ(
      behind.Value("rebound_registry_fetches_total", {{"task", "bnac"}, {"outcome", "fetched"}}),
      1);
  EXPECT_EQ(
      behind.Value("rebound_registry_fetches_total", {{"task", "bnac"}, {"outcome", "failed"}}), 1);
  Flip(2, "weights.safetensors");
  Look();
  EXPECT_EQ(page(std::chrono::seconds(100)).Value("rebound_registry_lag_seconds", bnac), 0);
}

TEST_F(FollowerTest, CheckConfigAsksTheRegistry) {
  ServeOptions options;
  options.models = folder_.path() / "replica";
  options.tasks = {Task::kBnac};
  options.follower.emplace().uri = uri_;
  const auto run = [&](bool valid) {
    std::ostringstream out;
    EXPECT_EQ(ChecksOf(options).Run(&out), valid) << out.str();
    return out.str();
  };
  EXPECT_NE(run(true).find("ok    model bnac: nothing on disk: what the registry promotes is "
                           "fetched\n"),
            std::string::npos);
  UploadAndPromote(Task::kBnac);
  EXPECT_NE(run(true).find(", promoted: bnac 1; this login may promote\n"), std::string::npos);
  options.follower->uri = LoginOf("rebound_server");
  EXPECT_NE(run(true).find(", promoted: bnac 1; this login may follow, not promote\n"),
            std::string::npos);
  options.follower->uri = SharedCluster().NewDatabase();
  EXPECT_NE(run(false).find("FAIL  registry: "), std::string::npos);
  options.follower->uri = "postgresql:///db?host=/nonexistent";
  EXPECT_NE(run(false).find("FAIL  registry: database db on /nonexistent is not available"),
            std::string::npos);
}

}  // namespace
}  // namespace rebound::test
