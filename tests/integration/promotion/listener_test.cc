// Followers of promotions: told at once, and never left behind.
#include <chrono>
#include <thread>

#include "datasource/postgres_listener.h"
#include "labelstore/model_registry.h"
#include "stores.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{20'000};  // never waited for in full
constexpr milliseconds kNow{0};

void EndSessions(const std::string& uri) {
  Value(uri,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

TEST(PostgresListenerTest, IsWokenByItsChannelAlone) {
  const std::string uri = test::SharedCluster().NewStore();
  PostgresListener listener(uri, "rebound_test");
  EXPECT_FALSE(listener.connected());
  EXPECT_EQ(listener.Wait(kLong), SqlWake::kConnected);
  EXPECT_TRUE(listener.connected());
  EXPECT_EQ(listener.Wait(kNow), SqlWake::kTimeout);
  Change(uri, "NOTIFY rebound_other");
  EXPECT_EQ(listener.Wait(milliseconds(20)), SqlWake::kTimeout);
  Change(uri, "NOTIFY rebound_test; NOTIFY rebound_test, 'twice'");
  EXPECT_EQ(listener.Wait(kLong), SqlWake::kNotified);
  EXPECT_EQ(listener.Wait(kNow), SqlWake::kTimeout) << "one look serves both";
}

TEST(PostgresListenerTest, ANewConnectionIsAReasonToLook) {
  const std::string uri = test::SharedCluster().NewStore();
  PostgresListener listener(uri, "rebound_test");
  listener.Wait(kLong);
  EndSessions(uri);
  EXPECT_EQ(listener.Wait(kLong), SqlWake::kConnected);
  Change(uri, "NOTIFY rebound_test");
  EXPECT_EQ(listener.Wait(kLong), SqlWake::kNotified);
}

TEST(PostgresListenerTest, ADatabaseThatIsAwayIsUnavailableAfterTheTimeout) {
  PostgresOptions options;
  int pauses = 0;
  options.pause = [&](milliseconds) { ++pauses; };
  PostgresListener listener("postgresql:///db?host=/nonexistent", "rebound_test", options);
  const std::string error = ErrorOf([&] { listener.Wait(milliseconds(30)); });
  EXPECT_EQ(error.find("unavailable: database db on /nonexistent tells nothing while it is away ("),
            0u)
      << error;
  EXPECT_GT(pauses, 0);
}

class PromotionListenerTest : public testing::Test {
 protected:
  PromotionListenerTest() {
    for (const int version : {1, 2, 3}) {
      OpenLabelStore(uri_)->RegisterModel(Task::kBnac, version, std::to_string(version), 0);
      OpenLabelStore(uri_)->RegisterModel(Task::kAction, version, std::to_string(version), 0);
    }
  }
  // What the listener tells, as "bnac 2 action 1".
  std::string Told(milliseconds timeout) {
    std::string told;
    for (const Promotion& each : listener_.WaitForPromotion(timeout)) {
      told += (told.empty() ? "" : " ") + std::string(TaskName(each.task)) + " " +
              std::to_string(each.version);
    }
    return told;
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  ModelRegistry registry_{uri_};
  PromotionListener listener_{uri_};
};

TEST_F(PromotionListenerTest, FirstTellsWhatServesAndThenWhatChanges) {
  registry_.Promote(Task::kBnac, 1, "anna", "");
  registry_.Promote(Task::kBnac, 2, "anna", "");
  registry_.Promote(Task::kAction, 1, "anna", "");
  EXPECT_EQ(Told(kLong), "bnac 2 action 1");
  EXPECT_EQ(Told(kNow), "");
  registry_.Promote(Task::kBnac, 3, "anna", "");
  EXPECT_EQ(Told(kLong), "bnac 3");
  registry_.Rollback(Task::kBnac, "bob", "");
  EXPECT_EQ(Told(kLong), "bnac 2");
  OpenLabelStore(uri_)->RecordPromotion(Task::kAction, 3);
  EXPECT_EQ(Told(kLong), "action 3") << "every path that promotes is told";
}

TEST_F(PromotionListenerTest, IsWokenWhileItWaits) {
  EXPECT_EQ(Told(kNow), "") << "nothing serves";
  std::thread promoter([&] { registry_.Promote(Task::kBnac, 1, "anna", ""); });
  EXPECT_EQ(Told(kLong), "bnac 1");
  promoter.join();
}

TEST_F(PromotionListenerTest, ARefusedPromotionTellsNothing) {
  Told(kNow);
  ErrorOf([&] { registry_.Promote(Task::kBnac, 9, "anna", ""); });
  EXPECT_EQ(Told(milliseconds(20)), "");
}

TEST_F(PromotionListenerTest, OneThatWasCutOffCatchesUpWithTheLastOfEachTask) {
  registry_.Promote(Task::kBnac, 1, "anna", "");
  EXPECT_EQ(Told(kLong), "bnac 1");
  EndSessions(uri_);
  ModelRegistry other(uri_);
  other.Promote(Task::kBnac, 2, "anna", "");
  other.Promote(Task::kBnac, 3, "anna", "");
  other.Promote(Task::kAction, 2, "anna", "");
  EXPECT_EQ(Told(kLong), "bnac 3 action 2");
  EXPECT_EQ(Told(kNow), "");
}

TEST(PromotionListenerOutage, ADatabaseThatStopsAndComesBackIsFollowedAgain) {
  test::TestCluster cluster;
  const std::string uri = cluster.NewStore();
  PromotionListener listener(uri);
  OpenLabelStore(uri)->RegisterModel(Task::kBnac, 1, "aa", 0);
  EXPECT_TRUE(listener.WaitForPromotion(kNow).empty());
  cluster.Kill();
  EXPECT_EQ(ErrorOf([&] { listener.WaitForPromotion(milliseconds(10)); }).substr(0, 12),
            "unavailable:");
  cluster.Start();
  ModelRegistry(uri).Promote(Task::kBnac, 1, "anna", "");
  const auto news = listener.WaitForPromotion(kLong);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].version, 1);
}

}  // namespace
}  // namespace rebound
