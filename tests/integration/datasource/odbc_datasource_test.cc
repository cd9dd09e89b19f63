// The datasource of ODBC: unixODBC with Debian's driver for SQLite.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "datasource/sqlite.h"
#include "tests/support/datasources.h"

namespace rebound {
namespace {

using test::ReadAll;
using test::ReadError;
using test::Rows;

constexpr char kDriver[] = "/usr/lib/x86_64-linux-gnu/odbc/libsqlite3odbc.so";

class OdbcDatasource : public testing::Test {
 protected:
  OdbcDatasource() {
    SqliteDatabase(path_).ExecuteScript(
        "CREATE TABLE overrides (domain TEXT, bounce_code INTEGER, rule TEXT, raw BLOB);"
        "INSERT INTO overrides VALUES ('', 10, 'gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9B', x'ff00c3'), "
        "('example.org', 99, NULL, NULL);");
  }
  std::string Uri() const {
    return std::string("odbc:Driver=") + kDriver + ";Database=" + path_.string() + ";" + options_;
  }
  std::string Source() const { return OpenDatasource(Uri())->description(); }

  TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "rules.db";
  std::string options_;
};

TEST_F(OdbcDatasource, GivesRowsOfText) {
  const Rows rows = {{"", "10", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9B"}, {"example.org", "99", ""}};
  const std::string query = "SELECT domain, bounce_code, rule FROM overrides";
  EXPECT_EQ(ReadAll(Uri(), query, 3), rows);
  options_ = "NoWCHAR=1;";
  EXPECT_EQ(ReadAll(Uri(), query, 3), rows);
}

TEST_F(OdbcDatasource, BytesPassAsTheyAre) {
  EXPECT_EQ(ReadAll(Uri(), "SELECT raw FROM overrides", 1),
            (Rows{{std::string("\xFF\x00\xC3", 3)}, {""}}));
}

TEST_F(OdbcDatasource, LongTextsArriveWhole) {
  std::string text;
  for (int i = 0; i < 30000; ++i) text += i % 7 == 0 ? "\xF0\x9F\x90\x9B" : "x";
  SqliteDatabase(path_).Execute("UPDATE overrides SET rule = ?1, raw = ?2",
                                {std::string_view(text), SqliteBlob{text}});
  const std::string query = "SELECT rule, raw FROM overrides LIMIT 1";
  EXPECT_EQ(ReadAll(Uri(), query, 2), (Rows{{text, text}}));
  options_ = "NoWCHAR=1;";
  EXPECT_EQ(ReadAll(Uri(), query, 2), (Rows{{text, text}}));
}

TEST_F(OdbcDatasource, ADsnIsFoundInTheFileThatODBCINIDenotes) {
  const std::string file = folder_.path() / "odbc.ini";
  WriteFileDurably(
      file, std::string("[rules]\nDriver=") + kDriver + "\nDatabase=" + path_.string() + "\n");
  ::setenv("ODBCINI", file.c_str(), 1);
  EXPECT_EQ(ReadAll("odbc:DSN=rules", "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
  EXPECT_EQ(ReadAll("odbc:rules", "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
  ::unsetenv("ODBCINI");
}

TEST_F(OdbcDatasource, TheQueryMayHoldAnyCharacterThoughTheDriverKnowsNoUnicode) {
  EXPECT_EQ(ReadAll(Uri(),
                    "SELECT bounce_code FROM overrides WHERE rule = 'gr\xC3\xBC\xC3\x9F "
                    "\xF0\x9F\x90\x9B'",
                    1),
            (Rows{{"10"}}));
}

TEST_F(OdbcDatasource, AnUnknownDsnOrDriverIsNotFound) {
  EXPECT_EQ(ReadError("odbc:DSN=no_such_dsn;UID=u;PWD=secret", "SELECT 1", 1),
            "not_found: ODBC dsn=no_such_dsn: [IM002] [unixODBC][Driver Manager]Data source name "
            "not found and no default driver specified: check odbc.ini, odbcinst.ini and the "
            "driver's package");
  EXPECT_EQ(ReadError("odbc:Driver=/nowhere/driver.so;PWD=secret", "SELECT 1", 1),
            "not_found: ODBC driver=/nowhere/driver.so: [01000] [unixODBC][Driver Manager]Can't "
            "open lib '/nowhere/driver.so' : file not found: check odbc.ini, odbcinst.ini and the "
            "driver's package");
}

TEST_F(OdbcDatasource, WhatAQueryWouldWriteIsRolledBack) {
  EXPECT_EQ(ReadError(Uri(), "DELETE FROM overrides", 1),
            "invalid_argument: the query to " + Source() +
                " gives no rows, and what it wrote was rolled back: write one SELECT");
  EXPECT_EQ(ReadAll(Uri(), "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
}

TEST_F(OdbcDatasource, RefusesAWrongQueryWithTheDriversState) {
  const std::string error = ReadError(Uri(), "SELEC 1", 1);
  EXPECT_TRUE(Holds(error, "invalid_argument: " + Source() + ": [HY000] "));
  EXPECT_TRUE(Holds(error, "syntax error"));
  EXPECT_EQ(ReadError(Uri(), "SELECT 1, 2", 3),
            "invalid_argument: the query to " + Source() + " gives 2 columns where 3 are wanted");
}

TEST_F(OdbcDatasource, AQueryWithoutEndIsCancelledAtTheTimeout) {
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(200);
  EXPECT_EQ(ReadError(Uri(),
                      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                      "SELECT count(*) FROM c",
                      1, limits),
            "unavailable: " + Source() +
                " did not answer in full within 200 ms: check that it runs, or ask for less");
}

TEST_F(OdbcDatasource, ALockedDatabaseIsUnavailable) {
  SqliteDatabase writer(path_);
  writer.Execute("PRAGMA journal_mode=DELETE");
  writer.Execute("BEGIN EXCLUSIVE");
  // This driver reads while it connects and knows no login timeout but its own.
  options_ = "Timeout=100;";
  EXPECT_TRUE(Holds(ReadError(Uri(), "SELECT domain FROM overrides", 1), "unavailable: "));
  writer.Execute("COMMIT");
  EXPECT_EQ(ReadAll(Uri(), "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
}

TEST_F(OdbcDatasource, KeepsTheLimits) {
  DatasourceLimits limits;
  limits.max_rows = 1;
  EXPECT_EQ(ReadError(Uri(), "SELECT domain FROM overrides", 1, limits),
            "too_large: " + Source() + " gives more than 1 rows: narrow the query");
  limits.max_bytes = 5;
  EXPECT_EQ(ReadError(Uri(), "SELECT domain FROM overrides WHERE bounce_code = 99", 1, limits),
            "too_large: " + Source() + " gives more than 5 bytes: narrow the query");
}

}  // namespace
}  // namespace rebound
