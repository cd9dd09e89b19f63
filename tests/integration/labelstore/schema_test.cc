#include "labelstore/schema.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/reviews.h"
#include "models/task.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

constexpr Migration kFirst = {1, "0001_first", "CREATE TABLE rebound.one (id int);"};
constexpr Migration kSecond = {2, "0002_second", "CREATE TABLE rebound.two (id int);"};

TEST(Migrations, AreNumberedFromOneWithoutGaps) {
  int expected = 1;
  for (const Migration& each : Migrations()) EXPECT_EQ(each.version, expected++) << each.name;
  EXPECT_GT(expected, 1);
}

TEST(Migrations, AreAppliedOnce) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  EXPECT_EQ(MigrateSchema(&connection).size(), Migrations().size());
  EXPECT_TRUE(MigrateSchema(&connection).empty());
}

TEST(Migrations, EightProcessesAtOnceApplyEachOnce) {
  const std::string uri = test::SharedCluster().NewDatabase();
  std::atomic<size_t> applied{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      PostgresConnection connection(uri);
      applied += MigrateSchema(&connection).size();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied, Migrations().size());
}

TEST(Migrations, OnlyWhatIsMissingIsApplied) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  EXPECT_EQ(MigrateSchema(&connection, std::array{kFirst}), std::vector<int>{1});
  EXPECT_EQ(MigrateSchema(&connection, std::array{kFirst, kSecond}), std::vector<int>{2});
}

TEST(Migrations, AnEditedOneIsCorrupt) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  MigrateSchema(&connection, std::array{kFirst});
  Migration edited = kFirst;
  edited.sql = "CREATE TABLE rebound.other (id int);";
  EXPECT_EQ(
      ErrorOf([&] {
        MigrateSchema(&connection, std::array{edited, kSecond});
      }),
      "corrupt: migration 0001_first was edited after it landed in this database: restore the "
      "file and put the change into a new one");
}

TEST(Migrations, ANewerSchemaIsRefusedByEveryProgramAndLeftAsItIs) {
  const std::string uri = test::SharedCluster().NewDatabase();
  PostgresConnection connection(uri);
  MigrateSchema(&connection);
  std::vector<Migration> newer(Migrations().begin(), Migrations().end());
  const std::string found = std::to_string(newer.size() + 1), known = std::to_string(newer.size());
  newer.push_back({static_cast<int>(newer.size()) + 1, "9999_newer", "CREATE TABLE rebound.n ();"});
  MigrateSchema(&connection, newer);
  const std::string refusal = "unavailable: " + DescribePostgres(uri) + " has version " + found +
                              " of the label store and this program knows only " + known +
                              ": use the release that migrated it, or a newer one";
  EXPECT_EQ(ErrorOf([&] { MigrateSchema(&connection); }), refusal);
  EXPECT_EQ(ErrorOf([&] { OpenLabelStore(uri); }), refusal);
  EXPECT_EQ(ErrorOf([&] { OpenProposalStore(uri); }), refusal);
  EXPECT_EQ(ErrorOf([&] { OpenReviewDesk(uri); }), refusal);
  const test::Ran ran =
      test::RunCommand(test::BinaryPath("rebound-labels") + " migrate --store '" + uri + "'");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(Holds(ran.errors, "use the release that migrated it, or a newer one"));
  EXPECT_TRUE(MigrateSchema(&connection, newer).empty());
}

TEST(Migrations, OneThatFailsLeavesNothingBehind) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  const Migration broken = {2, "0002_broken",
                            "CREATE TABLE rebound.two (id int); SELECT nonsense;"};
  EXPECT_THROW(MigrateSchema(&connection, std::array{kFirst, broken}), Error);
  EXPECT_EQ(MigrateSchema(&connection, std::array{kFirst, kSecond}), std::vector<int>{2});
}

TEST(Migrations, GapsAreRefused) {
  PostgresConnection connection(test::SharedCluster().NewDatabase());
  EXPECT_EQ(ErrorOf([&] { MigrateSchema(&connection, std::array{kSecond}); }),
            "invalid_argument: migration 0002_second stands at place 1: number the files without "
            "gaps");
}

// One value of the database, as text.
std::string Value(PostgresConnection* connection, const std::string& query) {
  std::string value;
  connection->Transact(SqlIsolation::kReadCommitted,
                       [&](SqlTransaction& sql) { value = sql.Execute(query).Text(0, 0); });
  return value;
}

TEST(Migrations, AStoreOfTheFirstVersionComesUpWithAllItHolds) {
  const std::string uri = test::SharedCluster().NewDatabase();
  PostgresConnection connection(uri);
  EXPECT_EQ(MigrateSchema(&connection, Migrations().first(1)), std::vector<int>{1});
  connection.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
    sql.ExecuteScript(
        "INSERT INTO rebound.messages (text, digest, normaliser_version, split_group, held_out) "
        "  SELECT '550 no ' || i, sha256(i::text::bytea), 2, 'g' || i, false "
        "  FROM generate_series(1, 20) i;"
        "INSERT INTO rebound.message_labels (message_id, label_set_id, contributor, label_id, "
        "origin)"
        "  SELECT i, 1, 'seed', 1 + i % 18, 'seed' FROM generate_series(1, 20) i;"
        "UPDATE rebound.message_labels SET label_id = 2, origin = 'review' WHERE message_id = 7;"
        "INSERT INTO rebound.snapshots (digest, rows) VALUES (repeat('a', 64), 1);"
        "INSERT INTO rebound.snapshot_rows (snapshot_id, position, message_id, origin, bnac)"
        "  VALUES (1, 1, 7, 'review', 2);"
        "INSERT INTO rebound.training_runs (label_set_id, snapshot_id, seed, status)"
        "  VALUES (1, 1, 5, 'promoted');"
        "INSERT INTO rebound.models (label_set_id, version, weights_sha256, run_id)"
        "  VALUES (1, 3, 'ab', 1);"
        "INSERT INTO rebound.promotions (label_set_id, version) VALUES (1, 3);");
  });
  const std::string content =
      "SELECT md5(string_agg(r, E'\\n' ORDER BY r)) FROM ("
      "SELECT m::text AS r FROM rebound.messages m UNION ALL "
      "SELECT l::text FROM rebound.message_labels l UNION ALL "
      "SELECT e::text FROM rebound.effective_labels e UNION ALL "
      "SELECT h::text FROM rebound.vote_history h UNION ALL "
      "SELECT s::text FROM rebound.snapshot_rows s) rows";
  const std::string before = Value(&connection, content);
  EXPECT_EQ(MigrateSchema(&connection).size(), Migrations().size() - 1);
  EXPECT_EQ(Value(&connection, content), before);
  const auto store = OpenLabelStore(uri);
  EXPECT_EQ(store->LastVersion(Task::kBnac), 3);
  EXPECT_EQ(store->ReadRuns(5).at(0).status, "promoted");
  EXPECT_EQ(store->MakeSnapshot().rows, 20);
}

// Also from every version between the first and the newest, one by one.
TEST(Migrations, EveryEarlierVersionComesUpToTheNewest) {
  for (size_t from = 1; from < Migrations().size(); ++from) {
    const std::string uri = test::SharedCluster().NewDatabase();
    PostgresConnection connection(uri);
    MigrateSchema(&connection, Migrations().first(from));
    EXPECT_EQ(MigrateSchema(&connection).size(), Migrations().size() - from);
    EXPECT_EQ(OpenLabelStore(uri)->MakeSnapshot().rows, 0);
  }
}

TEST(OpenLabelStore, AnEmptyDatabaseSaysHowToMakeTheStore) {
  const std::string uri = test::SharedCluster().NewDatabase();
  EXPECT_EQ(ErrorOf([&] { OpenLabelStore(uri); }),
            "not_found: " + DescribePostgres(uri) +
                " has no label store yet: run rebound-labels migrate");
}

TEST(Schema, KnowsExactlyTheLabelsOfTheTasks) {
  PostgresConnection connection(test::SharedCluster().NewStore());
  connection.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    for (const Task task : kTasks) {
      const SqlRows rows = sql.Execute(
          "SELECT l.name FROM rebound.labels l JOIN rebound.label_sets s ON s.id = l.label_set_id "
          "WHERE s.task = $1 ORDER BY l.name COLLATE \"C\"",
          {std::string(TaskName(task))});
      ASSERT_EQ(rows.size(), TaskLabels(task).size());
      for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows.Text(i, 0), TaskLabels(task)[i]);
    }
  });
}

}  // namespace
}  // namespace rebound
