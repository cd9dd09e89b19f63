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
