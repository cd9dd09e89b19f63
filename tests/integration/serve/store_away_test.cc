// Contributions while PostgreSQL comes and goes, is silent or slow.
#include <signal.h>

#include <future>

#include "contributions.h"
#include "labelstore/schema.h"

namespace rebound::test {
namespace {

TEST_F(ContributionsTest, WithoutTheStoreContributionsAreSpooledAndDeliveredInOrder) {
  Start();
  std::vector<std::string> sent = {"550 before"};
  Propose(sent[0]);
  {
    const Outage outage;
    for (const char* word : {"one", "two", "three"}) {
      sent.push_back(std::string("550 ") + word + " <jane@example.org>");
      const Answer answer = Propose(sent.back());
      EXPECT_EQ(answer.status(), 202) << answer.response.body;
      EXPECT_EQ(answer.Text("status"), "spooled");
      EXPECT_EQ(answer.Text("message_text"), std::string("550 ") + word + " <__email__>");
      EXPECT_EQ(FindJson(answer.json, "id"), nullptr);
    }
    const Answer csv = Ask("jo", "POST", "/api/proposals/bulk-csv",
                           "label,message\nunknown,550 four\nnice,x\nunknown,550 five\n",
                           {{"content-type", "text/csv"}});
    EXPECT_EQ(csv.status(), 202);
    EXPECT_EQ(csv.response.body,
              R"({"accepted":2,"errors":[{"row":3,"error":"unknown label 'nice'"}]})");
    EXPECT_EQ(Waiting(), 4);
    EXPECT_EQ(Ask("ro", "GET", "/admin/api/proposals").status(), 503);
    EXPECT_EQ(served_->Ask("GET", "/readyz").status, 200);
    EXPECT_EQ(ReadFile(folder_.path() / "spool" / "spool.sqlite-wal").find("jane"),
              std::string::npos);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"),
            std::vector<std::string>({"550 before", "550 one <__email__>", "550 two <__email__>",
                                      "550 three <__email__>", "550 four", "550 five"}));
  EXPECT_EQ(Propose("550 after").status(), 201);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "spooled"}}), 5);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "delivered"}}), 5);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "inserted"}}), 2);
}

TEST_F(ContributionsTest, AKeyThatWasSpooledIsKnownThereAndLaterInTheStore) {
  Start();
  const HeaderList key = {{"idempotency-key", "k"}};
  {
    const Outage outage;
    EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 202);
    EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 202);
    EXPECT_EQ(Propose("550 two", "user_unknown", key).status(), 422);
    EXPECT_EQ(Waiting(), 1);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 200);
  EXPECT_EQ(Propose("550 two", "user_unknown", key).status(), 422);
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one"}));
}

TEST_F(ContributionsTest, WhatWaitsOutlivesTheServer) {
  Start();
  {
    const Outage outage;
    EXPECT_EQ(Propose("550 one").status(), 202);
    served_.reset();
    Start();
    EXPECT_EQ(Propose("550 two").status(), 202);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one", "550 two"}));
}

TEST_F(ContributionsTest, AFullSpoolSays503AndKeepsWhatItHas) {
  Start(4000);
  size_t accepted = 0;
  {
    const Outage outage;
    for (int i = 0; i < 20; ++i) {
      const Answer answer = Propose("550 text of number " + std::string(size_t(i) + 1, 'x'));
      if (answer.status() == 202) {
        ++accepted;
        continue;
      }
      EXPECT_EQ(answer.status(), 503);
      EXPECT_EQ(answer.Text("error"),
                "contributions cannot be kept at this moment; send it again later");
      EXPECT_TRUE(std::any_of(answer.response.headers.begin(), answer.response.headers.end(),
                              [](const auto& header) { return header.first == "Retry-After"; }));
    }
    EXPECT_GT(accepted, 3U);
    EXPECT_LT(accepted, 20U);
    EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "refused"}}),
              20.0 - static_cast<double>(accepted));
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo").size(), accepted);
}

TEST_F(ContributionsTest, AStoreWithoutItsSchemaIsWaitedFor) {
  uri_ = SharedCluster().NewDatabase();
  Start();
  EXPECT_EQ(Propose("550 one").status(), 202);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/stats").status(), 503);
  PostgresConnection connection(uri_);
  MigrateSchema(&connection);
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one"}));
}

TEST_F(ContributionsTest, WhatTheStoreRefusesForGoodIsSetAsideAndHoldsUpNobody) {
  Start();
  Sql("ALTER TABLE rebound.contributed_texts ADD CHECK (text NOT LIKE '%poison%')");
  EXPECT_EQ(Propose("550 poison").status(), 202);
  EXPECT_EQ(Propose("550 fine").status() / 100, 2);
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 fine"}));
  EXPECT_EQ(Metric("rebound_spool_dead"), 1);
  const Answer stats = Ask("ro", "GET", "/admin/api/stats");
  const JsonValue& spool = GetJson(stats.json, "spool");
  EXPECT_EQ(GetJsonInt(spool, "waiting"), 0);
  EXPECT_EQ(GetJsonInt(spool, "dead"), 1);
  const JsonValue& dead = GetJson(spool, "deadLetters")[0];
  EXPECT_EQ(GetJsonString(dead, "contributor"), "jo");
  EXPECT_NE(GetJsonString(dead, "why").find("check constraint"), std::string_view::npos);
}

TEST_F(ContributionsTest, ARightThatIsMissingLosesNothing) {
  Start();
  // As a store that became a standby, and as one whose administrator forgot a grant.
  for (const char* change : {"ALTER DATABASE %s SET default_transaction_read_only = on",
                             "ALTER DATABASE %s RESET default_transaction_read_only"}) {
    std::string statement = change;
    const size_t begin = uri_.find("///") + 3;
    statement.replace(statement.find("%s"), 2, uri_.substr(begin, uri_.find('?') - begin));
    PostgresConnection(SharedCluster().uri()).ExecuteAlone(statement);
    PostgresConnection(SharedCluster().uri())
        .Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
          sql.Execute(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE application_name = 'rebound-serve'");
        });
    if (statement.find("RESET") != std::string::npos) break;
    EXPECT_EQ(Propose("550 one").status(), 202);
    EXPECT_EQ(Propose("550 two").status(), 202);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one", "550 two"}));
  EXPECT_EQ(Metric("rebound_spool_dead"), 0);
}

TEST_F(ContributionsTest, ASilentStoreIsHungUpOn) {
  submit_limit_ = std::chrono::milliseconds(500);
  Start();
  Propose("550 before");
  const auto signal = [&](int number) {
    PostgresConnection(SharedCluster().uri())
        .Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
          const SqlRows rows = sql.Execute(
              "SELECT pid FROM pg_stat_activity WHERE application_name = 'rebound-serve'");
          for (size_t row = 0; row < rows.size(); ++row) {
            ASSERT_EQ(::kill(static_cast<pid_t>(rows.Int(row, 0)), number), 0);
          }
        });
  };
  signal(SIGSTOP);
  EXPECT_EQ(Propose("550 while silent").status(), 202);
  ASSERT_TRUE(EventuallyDelivered()) << "over a new connection";
  signal(SIGCONT);
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 before", "550 while silent"}));
}

TEST_F(ContributionsTest, ASlowStoreHoldsUpNeitherContributorsNorClassification) {
  submit_limit_ = std::chrono::milliseconds(500);
  Start();
  Propose("550 before");
  PostgresConnection other(uri_);
  std::vector<std::chrono::nanoseconds> taken;
  other.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("LOCK TABLE rebound.proposals IN ACCESS EXCLUSIVE MODE");
    // Every thread of the store has work that does not end.
    std::vector<std::future<Answer>> waiting;
    for (int i = 0; i < 8; ++i) {
      waiting.push_back(std::async(std::launch::async, [this, i] {
        return Propose("550 while slow " + std::string(size_t(i) + 1, 'x'));
      }));
      waiting.push_back(
          std::async(std::launch::async, [this] { return Ask("jo", "GET", "/api/proposals"); }));
    }
    const auto is_done = [](std::future<Answer>& one) {
      return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (!std::all_of(waiting.begin(), waiting.end(), is_done)) {
      const auto start = Clock::now();
      EXPECT_EQ(served_->Ask("GET", "/livez").status, 200);
      EXPECT_EQ(served_
                    ->Ask("POST", "/v3/classify", R"({"message":"user unknown"})",
                          {{"x-api-key", "ro-key"}})
                    .status,
                200);
      taken.push_back(Clock::now() - start);
      std::this_thread::yield();
    }
    for (size_t i = 0; i < waiting.size(); ++i) {
      const Answer answer = waiting[i].get();
      if (i % 2 == 0) {
        EXPECT_EQ(answer.status(), 202);
      } else if (answer.status() != 503) {  // which it is where it waited too long
        EXPECT_FALSE(GetJsonBool(answer.json, "storeAvailable")) << answer.response.body;
      }
    }
  });
  std::sort(taken.begin(), taken.end());
  EXPECT_LT(taken[taken.size() * 99 / 100], std::chrono::milliseconds(100));
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo").size(), 9U);
}

}  // namespace
}  // namespace rebound::test
