#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "datasource/sqlite.h"
#include "tests/support/datasources.h"

namespace rebound {
namespace {

using test::ReadAll;
using test::ReadError;
using test::Rows;

class SqliteDatasource : public testing::Test {
 protected:
  SqliteDatasource() {
    SqliteDatabase(path_).ExecuteScript(
        "CREATE TABLE overrides (domain TEXT, bounce_code INTEGER, rule TEXT);"
        "INSERT INTO overrides VALUES ('', 10, 'user unknown'), ('example.org', 99, NULL);");
  }
  std::string Uri() const { return "sqlite:" + path_.string(); }

  TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "rules.db";
};

TEST_F(SqliteDatasource, GivesRowsOfText) {
  EXPECT_EQ(ReadAll(Uri(), "SELECT domain, bounce_code, rule FROM overrides;", 3),
            (Rows{{"", "10", "user unknown"}, {"example.org", "99", ""}}));
  EXPECT_EQ(ReadAll(Uri(), "WITH x(a) AS (SELECT upper('b')) SELECT a, 1.5 FROM x -- end", 2),
            (Rows{{"B", "1.5"}}));
}

TEST_F(SqliteDatasource, BytesPassAsTheyAre) {
  EXPECT_EQ(ReadAll(Uri(), "SELECT x'ff00c3', cast(x'fe' AS text)", 2),
            (Rows{{std::string("\xFF\x00\xC3", 3), "\xFE"}}));
}

TEST_F(SqliteDatasource, RefusesWhatWouldDoMoreThanRead) {
  for (const char* query :
       {"DELETE FROM overrides", "UPDATE overrides SET rule='' RETURNING rule",
        "DROP TABLE overrides", "ATTACH '/tmp/other.db' AS other", "PRAGMA journal_mode=DELETE",
        "BEGIN", "SELECT load_extension('x')", "CREATE TEMP TABLE t (x)"}) {
    EXPECT_EQ(ReadError(Uri(), query, 1), "invalid_argument: the query to SQLite " +
                                              path_.string() + " may only read, by one SELECT")
        << query;
  }
  EXPECT_TRUE(Holds(ReadError(Uri(), "VACUUM INTO '" + path_.string() + "2'", 1), "0 columns"));
  EXPECT_EQ(ReadAll(Uri(), "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
}

TEST_F(SqliteDatasource, RefusesAWrongQuery) {
  const std::string source = "SQLite " + path_.string();
  EXPECT_EQ(ReadError(Uri(), "SELEC 1", 1),
            "invalid_argument: " + source + ": near \"SELEC\": syntax error");
  EXPECT_EQ(ReadError(Uri(), "SELECT missing FROM overrides", 1),
            "invalid_argument: " + source + ": no such column: missing");
  EXPECT_EQ(ReadError(Uri(), "SELECT 1; SELECT 2", 1),
            "invalid_argument: the query to " + source + " must be one statement");
  EXPECT_EQ(ReadError(Uri(), " -- nothing", 1),
            "invalid_argument: the query to " + source + " must be one statement");
  EXPECT_EQ(ReadError(Uri(), "SELECT 1, 2", 3),
            "invalid_argument: the query to " + source + " gives 2 columns where 3 are wanted");
  EXPECT_EQ(ReadError(Uri(), "SELECT x FROM missing", 1),
            "not_found: " + source + ": no such table: missing");
}

TEST_F(SqliteDatasource, AFileThatIsNotThereIsNotMade) {
  const std::string path = folder_.path() / "other.db";
  EXPECT_EQ(
      ReadError("sqlite:" + path, "SELECT 1", 1),
      "not_found: SQLite " + path + " is not there: check the path and the rights of its folder");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SqliteDatasource, AFileOfAnotherKindIsCorrupt) {
  const std::string path = folder_.path() / "text.db";
  WriteFileDurably(path, std::string(5000, 'x'));
  EXPECT_EQ(ReadError("sqlite:" + path, "SELECT 1 FROM x", 1),
            "corrupt: SQLite " + path + ": file is not a database: restore it");
}

TEST_F(SqliteDatasource, AReplacedFileIsSeen) {
  const auto source = OpenDatasource(Uri());
  EXPECT_EQ(ReadAll(source.get(), "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
  const auto next = folder_.path() / "next.db";
  SqliteDatabase(next).ExecuteScript("CREATE TABLE overrides (x);");
  std::filesystem::rename(next, path_);
  EXPECT_EQ(ReadAll(source.get(), "SELECT count(*) FROM overrides", 1), (Rows{{"0"}}));
}

TEST_F(SqliteDatasource, ALockedFileIsWaitedForUpToTheTimeout) {
  SqliteDatabase writer(path_);
  writer.Execute("PRAGMA journal_mode=DELETE");
  writer.Execute("BEGIN EXCLUSIVE");
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(30);
  const std::string error = ReadError(Uri(), "SELECT 1 FROM overrides", 1, limits);
  EXPECT_EQ(error, "unavailable: SQLite " + path_.string() +
                       ": database is locked: check the disk and who else has it open; it is "
                       "tried again");
  writer.Execute("COMMIT");
  EXPECT_EQ(ReadAll(Uri(), "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
}

TEST_F(SqliteDatasource, AQueryWithoutEndStopsAtTheTimeout) {
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(30);
  EXPECT_EQ(ReadError(Uri(),
                      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                      "SELECT count(*) FROM c",
                      1, limits),
            "unavailable: SQLite " + path_.string() +
                " did not answer in full within 30 ms: check that it runs, or ask for less");
}

TEST_F(SqliteDatasource, KeepsTheLimits) {
  DatasourceLimits limits;
  limits.max_rows = 1;
  EXPECT_TRUE(Holds(ReadError(Uri(), "SELECT domain FROM overrides", 1, limits),
                    "too_large: SQLite " + path_.string() + " gives more than 1 rows"));
  limits.max_bytes = 100;
  EXPECT_TRUE(Holds(ReadError(Uri(), "SELECT zeroblob(1000)", 1, limits),
                    "too_large: SQLite " + path_.string() + " gives more than 100 bytes"));
}

}  // namespace
}  // namespace rebound
