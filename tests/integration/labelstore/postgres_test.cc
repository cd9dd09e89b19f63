// What PostgreSQL alone can show: history, frozen rows, dead runs, writers at once, a database that
// goes.
#include "tests/support/postgres.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/json.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/postgres_label_store.h"

namespace rebound {
namespace {

Submission Says(const std::string& text, size_t bnac, const std::string& contributor = "alice") {
  Submission submission;
  submission.text = text;
  submission.labels[0] = bnac;
  submission.contributor = contributor;
  return submission;
}

// One value of the database, as text.
std::string Value(const std::string& uri, const std::string& query) {
  std::string value;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    value = sql.Execute(query).Text(0, 0);
  });
  return value;
}

std::string Change(const std::string& uri, const std::string& statement) {
  return ErrorOf([&] {
    PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted,
                                     [&](SqlTransaction& sql) { sql.Execute(statement); });
  });
}

TEST(PostgresLabelStore, AChangedVoteLeavesItsHistory) {
  const std::string uri = test::SharedCluster().NewStore();
  const auto store = OpenLabelStore(uri);
  store->Submit({Says("550 no", 0)});
  store->Submit({Says("550 no", 1)});
  store->Submit({Says("550 no", 1)});
  EXPECT_EQ(Value(uri,
                  "SELECT string_agg(contributor || ': ' || a.name || ' to ' || b.name, ', ') "
                  "FROM rebound.vote_history JOIN rebound.labels a ON a.id = old_label_id "
                  "JOIN rebound.labels b ON b.id = new_label_id"),
            "alice: BLOCKED to BLOCK_LIST");
}

TEST(PostgresLabelStore, TheDatabaseItselfRefusesToChangeWhatIsFrozen) {
  const std::string uri = test::SharedCluster().NewStore();
  const auto store = OpenLabelStore(uri);
  store->Submit({Says("550 no", 0)});
  store->Submit({Says("550 no", 1)});
  store->MakeSnapshot();
  for (const std::string table : {"messages", "vote_history", "snapshots", "snapshot_rows"}) {
    EXPECT_TRUE(
        Holds(Change(uri, "DELETE FROM rebound." + table),
              "conflict: ERROR:  rows of rebound." + table + " are never changed or removed"));
  }
  EXPECT_TRUE(Holds(Change(uri, "UPDATE rebound.messages SET text = 'x'"), "are never changed"));
  EXPECT_TRUE(Holds(Change(uri, "TRUNCATE rebound.vote_history"), "are never changed"));
}

TEST(PostgresLabelStore, ARunWhoseProcessDiedIsMarkedFailedByTheNextOne) {
  const std::string uri = test::SharedCluster().NewStore();
  TrainingRun run;
  {
    const auto died = OpenLabelStore(uri);
    run.snapshot_id = died->MakeSnapshot().id;
    run.id = died->StartRun(run);
  }
  // The server notices the end of a session by itself.
  while (Value(uri, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0") {
    std::this_thread::yield();
  }
  const auto alive = OpenLabelStore(uri);
  const int64_t next = alive->StartRun(run);
  const auto runs = alive->ReadRuns(10);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].id, next);
  EXPECT_EQ(runs[0].status, "running");
  EXPECT_EQ(runs[1].status, "failed");
  EXPECT_EQ(runs[1].reason, "the process of this run ended without a result");
}

TEST(PostgresLabelStore, ARunOfALivingProcessStaysRunning) {
  const std::string uri = test::SharedCluster().NewStore();
  const auto one = OpenLabelStore(uri), other = OpenLabelStore(uri);
  TrainingRun run;
  run.snapshot_id = one->MakeSnapshot().id;
  run.id = one->StartRun(run);
  other->StartRun(run);
  for (const TrainingRun& each : one->ReadRuns(10)) EXPECT_EQ(each.status, "running");
  run.status = "not_promoted";
  one->FinishRun(run);
  EXPECT_EQ(Value(uri, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "1");
}

TEST(PostgresLabelStore, WritersAtOnceLoseNothingAndDoubleNothing) {
  const std::string uri = test::SharedCluster().NewStore();
  std::atomic<int64_t> inserted{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&, writer] {
      const auto store = OpenLabelStore(uri);
      std::vector<Submission> submissions;
      for (int i = 0; i < 300; ++i) {
        const int at = writer % 2 == 0 ? i : 299 - i;
        const std::string word = {static_cast<char>('a' + at % 26),
                                  static_cast<char>('a' + at / 26), 'x'};
        submissions.push_back(Says("550 no " + word, 0, "writer" + std::to_string(writer)));
      }
      for (int part = 0; part < 3; ++part) {
        inserted +=
            store
                ->Submit({submissions.begin() + part * 100, submissions.begin() + (part + 1) * 100})
                .inserted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inserted, 300);
  EXPECT_EQ(Value(uri, "SELECT count(*) FROM rebound.messages"), "300");
  EXPECT_EQ(Value(uri, "SELECT count(*) FROM rebound.message_labels"), "1200");
}

TEST(PostgresLabelStore, SnapshotsAtOnceOfTheSameContentAreOne) {
  const std::string uri = test::SharedCluster().NewStore();
  OpenLabelStore(uri)->Submit({Says("550 no", 0)});
  std::array<SnapshotInfo, 4> made;
  std::vector<std::thread> threads;
  for (SnapshotInfo& info : made) {
    threads.emplace_back([&] { info = OpenLabelStore(uri)->MakeSnapshot(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const SnapshotInfo& info : made) {
    EXPECT_EQ(info.id, made[0].id);
    EXPECT_EQ(info.digest, made[0].digest);
  }
}

TEST(PostgresLabelStore, AManyRowSnapshotIsReadWholeAndInOrder) {
  const std::string uri = test::SharedCluster().NewStore();
  const auto store = OpenLabelStore(uri);
  std::vector<Submission> submissions;
  for (int i = 0; i < 12000; ++i) {
    std::string word;
    for (int rest = i, k = 0; k < 4; ++k, rest /= 26) word += static_cast<char>('a' + rest % 26);
    submissions.push_back(Says("550 no q" + word + "q", static_cast<size_t>(i % 18)));
  }
  EXPECT_EQ(store->Submit(submissions).inserted, 12000);
  const SnapshotInfo info = store->MakeSnapshot();
  EXPECT_EQ(info.rows, 12000);
  std::set<int64_t> ids;
  store->ReadSnapshot(info.id, [&](const SnapshotRow& row) { ids.insert(row.message_id); });
  EXPECT_EQ(ids.size(), 12000u);
  const auto memory = MakeMemoryLabelStore();
  memory->Submit(submissions);
  EXPECT_EQ(memory->MakeSnapshot().digest, info.digest);
}

TEST(PostgresLabelStore, ADatabaseThatWasGoneIsUsedAgainWhenItIsBack) {
  test::TestCluster& cluster = test::SharedCluster();
  const std::string uri = cluster.NewStore();
  PostgresOptions options;
  options.pause = [](std::chrono::milliseconds) {};
  PostgresLabelStore store(uri, options);
  store.Submit({Says("550 before", 0)});

  cluster.Kill();
  const std::string error = ErrorOf([&] { store.Submit({Says("550 meanwhile", 0)}); });
  EXPECT_TRUE(Holds(error, "unavailable: " + DescribePostgres(uri) + " is not available ("));
  EXPECT_TRUE(Holds(error, "check that PostgreSQL runs and that --store is right, then repeat"));
  EXPECT_TRUE(Holds(ErrorOf([&] { OpenLabelStore(uri); }), "unavailable: "));

  cluster.Start();
  EXPECT_EQ(store.Submit({Says("550 after", 0)}).inserted, 1);
  EXPECT_EQ(GetJsonInt(ParseJson(store.StatsJson()), "messages"), 2);
}

TEST(PostgresLabelStore, AServerThatStartsAnewBetweenTwoCallsIsNotNoticed) {
  test::TestCluster& cluster = test::SharedCluster();
  std::string uri = cluster.NewStore();
  const std::string server = uri.substr(uri.find('?'));
  const auto store = OpenLabelStore(uri);
  store->Submit({Says("550 before", 0)});
  cluster.Stop();
  cluster.Start();
  // The socket folder is new, the data are not: the URI of a new start finds them.
  uri.replace(uri.find('?'), server.size(), cluster.uri().substr(cluster.uri().find('?')));
  EXPECT_EQ(OpenLabelStore(uri)->Submit({Says("550 before", 0)}).duplicates, 1);
}

TEST(Transactions, ASerializationFailureIsRepeatedUntilItWins) {
  const std::string uri = test::SharedCluster().NewDatabase();
  PostgresConnection one(uri), other(uri);
  one.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
    sql.ExecuteScript("CREATE TABLE public.counter (n int); INSERT INTO public.counter VALUES (0)");
  });
  int attempts = 0;
  one.Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    ++attempts;
    sql.Execute("SELECT n FROM public.counter");
    if (attempts == 1) {
      other.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& inner) {
        inner.Execute("UPDATE public.counter SET n = n + 1");
      });
    }
    sql.Execute("UPDATE public.counter SET n = n + 1");
  });
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(Value(uri, "SELECT n FROM public.counter"), "2");
}

TEST(Transactions, AnExceptionOfTheBodyRollsBack) {
  const std::string uri = test::SharedCluster().NewDatabase();
  PostgresConnection connection(uri);
  EXPECT_EQ(ErrorOf([&] {
              connection.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
                sql.Execute("CREATE TABLE public.t (n int)");
                throw Error(ErrorCode::kCancelled, "stop");
              });
            }),
            "cancelled: stop");
  EXPECT_EQ(Value(uri, "SELECT coalesce(to_regclass('public.t')::text, 'none')"), "none");
}

TEST(Transactions, AStatementThatTakesTooLongIsUnavailable) {
  PostgresOptions options;
  options.statement_timeout = std::chrono::milliseconds(50);
  PostgresConnection connection(test::SharedCluster().NewDatabase(), options);
  EXPECT_TRUE(Holds(ErrorOf([&] {
                      connection.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
                        sql.Execute("SELECT pg_sleep(30)");
                      });
                    }),
                    "took too long (ERROR:  canceling statement due to statement timeout): repeat "
                    "the command, or set a longer limit in the URI: "
                    "...?options=-cstatement_timeout%3D15min"));
}

TEST(Transactions, ALockThatSomebodyHoldsIsWaitedForSoLongAndTold) {
  const std::string uri = test::SharedCluster().NewStore();
  PostgresOptions options;
  options.lock_timeout = std::chrono::milliseconds(50);
  PostgresConnection holder(uri), waiter(uri, options);
  holder.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("LOCK TABLE rebound.review_settings");
    EXPECT_EQ(ErrorOf([&] {
                waiter.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& inner) {
                  inner.Execute("SELECT overlap FROM rebound.review_settings");
                });
              }),
              "unavailable: another session of " + DescribePostgres(uri) +
                  " holds what this needs (ERROR:  canceling statement due to lock timeout): "
                  "pg_stat_activity and pg_blocking_pids tell which; let it end, then repeat the "
                  "command");
  });
}

// A client that hangs in the middle of a transaction loses its session, and what it held is free.
TEST(Transactions, WhoSaysNothingWithinATransactionHoldsNobodyUp) {
  const std::string uri = test::SharedCluster().NewStore();
  PostgresOptions options;
  options.idle_in_transaction_timeout = std::chrono::milliseconds(50);
  options.pause = [](std::chrono::milliseconds) {};
  PostgresConnection silent(uri, options), other(uri);
  const std::string error = ErrorOf([&] {
    silent.TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      sql.Execute("LOCK TABLE rebound.review_settings");
      // Says nothing until the other one, who waits for the lock, has it.
      other.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& inner) {
        inner.Execute("SELECT overlap FROM rebound.review_settings");
      });
      sql.Execute("SELECT 1");
    });
  });
  EXPECT_TRUE(Holds(error, "unavailable: " + DescribePostgres(uri) + " is not available ("));
}

TEST(Transactions, EverySessionHasItsLimitsAndTheUrisOwnWin) {
  const std::string uri = test::SharedCluster().NewStore();
  const std::string limits =
      "SELECT string_agg(name || '=' || setting || unit, ' ' ORDER BY name) FROM pg_settings "
      "WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')";
  EXPECT_EQ(Value(uri, limits),
            "idle_in_transaction_session_timeout=300000ms lock_timeout=60000ms "
            "statement_timeout=300000ms");
  EXPECT_EQ(Value(uri + "&options=-cstatement_timeout%3D15min%20-clock_timeout%3D1s", limits),
            "idle_in_transaction_session_timeout=300000ms lock_timeout=1000ms "
            "statement_timeout=900000ms");
}

TEST(Transactions, FaultsOfTheServerHaveOurCodes) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  const auto run = [&](const std::string& statement, const std::vector<SqlValue>& parameters) {
    return ErrorOf([&] {
      connection.Transact(SqlIsolation::kReadCommitted,
                          [&](SqlTransaction& sql) { sql.Execute(statement, parameters); });
    });
  };
  EXPECT_TRUE(Holds(run("SELECT 1 FROM rebound.nothing", {}), "not_found: "));
  EXPECT_TRUE(Holds(run("SELECT $1::int", {"x"}), "invalid_argument: "));
  EXPECT_TRUE(Holds(run("SELECT", {"x"}), "internal: "));
  EXPECT_EQ(run("SELECT $1::text", {std::string("a\0b", 3)}),
            "invalid_argument: a text with a NUL byte cannot be stored: replace the byte first");
}

}  // namespace
}  // namespace rebound
