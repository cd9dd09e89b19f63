#include "datasource/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "tests/integration/labelstore/errors.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

class Sqlite : public testing::Test {
 protected:
  int64_t Count() {
    int64_t count = -1;
    database_.Execute("SELECT count(*) FROM t", {},
                      [&](const SqliteRow& row) { count = row.Int(0); });
    return count;
  }

  TempFolder folder_;
  const fs::path path_ = folder_.path() / "own.db";
  SqliteDatabase database_{path_};
};

TEST_F(Sqlite, GivesBackEveryKindOfValue) {
  database_.ExecuteScript("CREATE TABLE t (a, b, c, d, e, f); -- one\n");
  const std::string bytes("\xFF\x00 ", 3);
  EXPECT_EQ(database_.Execute("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                              {std::monostate(), int64_t{-5}, 0.5, std::string_view("x'y"),
                               SqliteBlob{bytes}, std::string_view()}),
            1);
  EXPECT_EQ(database_.last_insert_id(), 1);
  int rows = 0;
  database_.Execute("SELECT * FROM t", {}, [&](const SqliteRow& row) {
    ++rows;
    ASSERT_EQ(row.columns(), 6u);
    EXPECT_TRUE(row.IsNull(0));
    EXPECT_EQ(row.Text(0), "");
    EXPECT_EQ(row.Int(1), -5);
    EXPECT_EQ(row.Text(1), "-5");
    EXPECT_EQ(row.Real(2), 0.5);
    EXPECT_EQ(row.Text(3), "x'y");
    EXPECT_EQ(row.Text(4), bytes);
    EXPECT_FALSE(row.IsNull(5));
    EXPECT_EQ(row.Text(5), "");
  });
  EXPECT_EQ(rows, 1);
}

TEST_F(Sqlite, TellsHowManyRowsAStatementChanged) {
  database_.ExecuteScript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3);");
  EXPECT_EQ(database_.Execute("DELETE FROM t WHERE a < ?1", {int64_t{3}}), 2);
  EXPECT_EQ(database_.Execute("DELETE FROM t WHERE a = 7"), 0);
  EXPECT_EQ(database_.Execute("SELECT * FROM t"), 0);
}

TEST_F(Sqlite, KeepsALogAndSyncsEveryCommit) {
  std::string settings;
  for (const char* pragma : {"PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys"}) {
    database_.Execute(pragma, {},
                      [&](const SqliteRow& row) { settings += std::string(row.Text(0)) + " "; });
  }
  EXPECT_EQ(settings, "wal 2 1 ");
}

TEST_F(Sqlite, ItsFilesAreItsOwnersAlone) {
  database_.ExecuteScript("CREATE TABLE t (a);");
  for (const fs::path& file : {path_, fs::path(path_.string() + "-wal")}) {
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0) << file;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(Sqlite, WhatWasWrittenIsThereWhenOpenedAgain) {
  database_.ExecuteScript("CREATE TABLE t (a); INSERT INTO t VALUES (1);");
  SqliteDatabase other(path_);
  int64_t seen = 0;
  other.Execute("SELECT a FROM t", {}, [&](const SqliteRow& row) { seen = row.Int(0); });
  EXPECT_EQ(seen, 1);
}

TEST_F(Sqlite, AnExceptionRollsTheTransactionBackAndPassesThrough) {
  database_.ExecuteScript("CREATE TABLE t (a);");
  EXPECT_EQ(ErrorOf([&] {
              database_.Transact([&] {
                database_.Execute("INSERT INTO t VALUES (1)");
                throw Error(ErrorCode::kCancelled, "mine");
              });
            }),
            "cancelled: mine");
  EXPECT_EQ(Count(), 0);
  database_.Transact([&] { database_.Execute("INSERT INTO t VALUES (1)"); });
  EXPECT_EQ(Count(), 1);
}

TEST_F(Sqlite, ATransactionInsideAnotherIsAFaultOfOurs) {
  EXPECT_EQ(ErrorOf([&] { database_.Transact([&] { database_.Transact([] {}); }); }),
            "internal: SQLite: a transaction inside a transaction");
  EXPECT_EQ(ErrorOf([&] { database_.Transact([] {}); }), "no error");
}

TEST_F(Sqlite, AnExceptionInARowEndsTheStatement) {
  database_.ExecuteScript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);");
  int rows = 0;
  EXPECT_EQ(ErrorOf([&] {
              database_.Execute("SELECT a FROM t", {}, [&](const SqliteRow&) {
                ++rows;
                throw Error(ErrorCode::kCancelled, "mine");
              });
            }),
            "cancelled: mine");
  EXPECT_EQ(rows, 1);
  database_.Execute("DROP TABLE t");
}

TEST_F(Sqlite, AConstraintIsAConflict) {
  database_.ExecuteScript("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1);");
  EXPECT_EQ(ErrorOf([&] { database_.Execute("INSERT INTO t VALUES (1)"); }),
            "conflict: SQLite " + path_.string() + ": UNIQUE constraint failed: t.a");
}

TEST_F(Sqlite, AFullDiskIsUnavailableAndLeavesNothingOfTheTransaction) {
  database_.ExecuteScript("CREATE TABLE t (a);");
  database_.Execute("PRAGMA max_page_count=4");
  EXPECT_EQ(ErrorOf([&] {
              database_.Transact([&] {
                database_.Execute("INSERT INTO t VALUES ('small')");
                database_.Execute("INSERT INTO t VALUES (zeroblob(100000))");
              });
            }),
            "unavailable: SQLite " + path_.string() +
                ": database or disk is full: check the disk, the rights and who else has it open, "
                "then repeat");
  EXPECT_EQ(Count(), 0);
  database_.Execute("PRAGMA max_page_count=1000");
  database_.Transact([&] { database_.Execute("INSERT INTO t VALUES (zeroblob(100000))"); });
  EXPECT_EQ(Count(), 1);
}

TEST_F(Sqlite, ALockThatAnotherHoldsIsUnavailable) {
  database_.ExecuteScript("CREATE TABLE t (a);");
  SqliteOptions options;
  options.busy_timeout = std::chrono::milliseconds(10);
  SqliteDatabase other(path_, options);
  database_.Transact([&] {
    EXPECT_EQ(ErrorOf([&] { other.Transact([] {}); }),
              "unavailable: SQLite " + path_.string() +
                  ": database is locked: check the disk, the rights and who else has it open, then "
                  "repeat");
  });
  other.Transact([&] { other.Execute("INSERT INTO t VALUES (1)"); });
  EXPECT_EQ(Count(), 1);
}

TEST_F(Sqlite, AFileOfAnotherKindIsCorrupt) {
  const fs::path path = folder_.path() / "text";
  WriteFileDurably(path, std::string(5000, 'x'));
  EXPECT_EQ(
      ErrorOf([&] { SqliteDatabase other(path); }),
      "corrupt: SQLite " + path.string() + ": file is not a database: restore it, or move it away");
}

TEST_F(Sqlite, ADamagedPageIsCorrupt) {
  const fs::path path = folder_.path() / "damaged.db";
  {
    SqliteDatabase other(path);
    other.ExecuteScript("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(50000));");
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, '\x5A');
  file.close();
  SqliteDatabase other(path);
  EXPECT_TRUE(Holds(ErrorOf([&] { other.Execute("SELECT a FROM t"); }), "corrupt: SQLite "));
}

TEST_F(Sqlite, AMissingFolderIsNotFound) {
  const fs::path path = folder_.path() / "no" / "own.db";
  EXPECT_EQ(ErrorOf([&] { SqliteDatabase other(path); }),
            "not_found: cannot make " + path.string() + ": No such file or directory");
}

TEST_F(Sqlite, AWrongStatementIsAFaultOfOurs) {
  EXPECT_EQ(ErrorOf([&] { database_.Execute("SELEC"); }),
            "internal: SQLite " + path_.string() + ": near \"SELEC\": syntax error");
  EXPECT_EQ(ErrorOf([&] { database_.Execute("SELECT 1; SELECT 2"); }),
            "internal: SQLite: Execute takes one statement");
  EXPECT_EQ(ErrorOf([&] { database_.Execute("SELECT ?1, ?2", {int64_t{1}}); }),
            "internal: SQLite: the statement has 2 parameters and got 1");
}

}  // namespace
}  // namespace rebound
