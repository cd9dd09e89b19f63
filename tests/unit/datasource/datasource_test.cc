#include "datasource/datasource.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "datasource/read_guard.h"
#include "tests/support/datasources.h"

namespace rebound {
namespace {

using test::ReadError;

std::string OpenError(const std::string& uri) {
  return ErrorOf([&] { OpenDatasource(uri); });
}

TEST(OpenDatasource, ConnectsToNothing) {
  for (const char* uri :
       {"sqlite:/nowhere/x.db", "SQLITE:/nowhere/x.db", "csv:/nowhere",
        "postgresql://u:secret@nowhere.invalid/x", "postgres://nowhere.invalid/x",
        "pgsql:host=nowhere.invalid;dbname=x", "pgsql://nowhere.invalid/x", "odbc:DSN=x", "odbc:x",
        "odbc:driver={a;b};PWD=secret", "ldap://nowhere.invalid", "ldap://[::1]:389/",
        "ldaps://u:secret@nowhere.invalid:636/", "ldapi://%2Fnowhere%2Fsocket/"}) {
    EXPECT_EQ(OpenError(uri), "no error") << uri;
  }
}

TEST(OpenDatasource, AnUnknownSchemeIsToldTheKnownOnesAndNotRepeated) {
  for (const char* uri :
       {"", "rules.csv", "mysql://u:secret@h/db", "postgresql:x", "ldap:x", ":"}) {
    EXPECT_EQ(OpenError(uri),
              "invalid_argument: the datasource's address has no scheme that is known: write "
              "sqlite:/path, csv:/path, postgresql://user@host/database, pgsql:host=... "
              "dbname=..., odbc:DSN=..., ldap://host:port/, ldaps://host/ or "
              "ldapi://%2Fpath%2Fof%2Fsocket/")
        << uri;
  }
}

TEST(OpenDatasource, AnAddressThatCannotBeReadIsRefusedWithoutItsPassword) {
  EXPECT_EQ(OpenError("sqlite:"),
            "invalid_argument: the datasource sqlite: names no file: write it like "
            "sqlite:/path/to/file");
  EXPECT_EQ(OpenError("csv:"),
            "invalid_argument: the datasource csv: names no file: write it like csv:/path/to/file");
  EXPECT_EQ(OpenError("ldap://u:secret@h:389:1/"),
            "invalid_argument: the port in the datasource's address is no number up to 65535: "
            "write it like ldap://host:389/, and a : or / in a user or password as %3A or %2F");
  EXPECT_EQ(OpenError("ldap://u:sec%ret@h/"),
            "invalid_argument: a % in the datasource's address is not followed by two hexadecimal "
            "digits, or is %00: write a % itself as %25");
  EXPECT_EQ(OpenError("ldap://cn=reader@h/"),
            "invalid_argument: the datasource's address needs a user and a password, or neither: "
            "write it like ldap://cn=reader,dc=example:${NAME}@host:port/");
  EXPECT_EQ(OpenError("ldap://h/dc=example?cn"),
            "invalid_argument: the datasource's address goes on behind the server: write it like "
            "ldap://host:port/ and the base and filter into the query");
  EXPECT_EQ(OpenError("ldapi://socket/"),
            "invalid_argument: the datasource's address names no server: write it like "
            "ldapi://%2Fpath%2Fof%2Fsocket/");
  for (const char* uri : {"odbc:", "odbc:UID=u;PWD=secret", "odbc:DSN=;x", "odbc:;;="}) {
    EXPECT_EQ(OpenError(uri),
              "invalid_argument: the datasource's address names neither a DSN nor a driver: write "
              "it like odbc:DSN=rules;UID=reader;PWD=${NAME} or odbc:Driver=SQLite3;Database=/path")
        << uri;
  }
  for (const char* uri :
       {"postgresql://u:secret@h/x?nonsense=1", "pgsql:host=h pass word=secret"}) {
    EXPECT_TRUE(
        Holds(OpenError(uri), "invalid_argument: the address of the database is no PostgreSQL URI"))
        << uri;
    EXPECT_EQ(OpenError(uri).find("secret"), std::string::npos);
  }
}

TEST(OpenDatasource, DescribesItselfWithoutThePassword) {
  const auto describe = [](const char* uri) { return OpenDatasource(uri)->description(); };
  EXPECT_EQ(describe("sqlite:/a/b.db"), "SQLite /a/b.db");
  EXPECT_EQ(describe("csv:/a"), "CSV /a");
  EXPECT_EQ(describe("postgresql://u:secret@h:5/x"), "PostgreSQL database x on h:5");
  EXPECT_EQ(describe("pgsql:host=h;dbname=x;password='se;cret'"), "PostgreSQL database x on h");
  EXPECT_EQ(describe("odbc:Driver={My;Driver};Server=h;UID=u;PWD=secret;Database=d"),
            "ODBC driver={My;Driver} server=h database=d");
  EXPECT_EQ(describe("odbc:rules"), "ODBC dsn=rules");
  EXPECT_EQ(describe("ldap://u:secret@h:389/"), "LDAP h:389");
  EXPECT_EQ(describe("ldapi://%2Frun%2Fslapd/"), "LDAP on /run/slapd");
}

TEST(OpenDatasource, ReadsVariablesOfTheEnvironmentQuotedForTheScheme) {
  ::setenv("REBOUND_TEST_VALUE", "a'b\\c;d}e@f/g h", 1);
  const auto describe = [](const char* uri) { return OpenDatasource(uri)->description(); };
  EXPECT_EQ(describe("postgresql://h/${REBOUND_TEST_VALUE}"),
            "PostgreSQL database a'b\\c;d}e@f/g h on h");
  EXPECT_EQ(describe("pgsql:host=h;dbname=${REBOUND_TEST_VALUE}"),
            "PostgreSQL database a'b\\c;d}e@f/g h on h");
  EXPECT_EQ(describe("pgsql:dbname='${REBOUND_TEST_VALUE}' host=h"),
            "PostgreSQL database a'b\\c;d}e@f/g h on h");
  EXPECT_EQ(describe("odbc:DSN=x;UID=${REBOUND_TEST_VALUE};Database=d"), "ODBC dsn=x database=d");
  EXPECT_EQ(describe("odbc:DSN=x;UID={${REBOUND_TEST_VALUE}};Database=d"), "ODBC dsn=x database=d");
  EXPECT_EQ(describe("ldap://u:${REBOUND_TEST_VALUE}@h/"), "LDAP h");
  EXPECT_EQ(describe("csv:/$x/${}/${1}/$REBOUND"), "CSV /$x/${}/${1}/$REBOUND");
  EXPECT_EQ(OpenError("csv:/${REBOUND_TEST_UNSET}"),
            "invalid_argument: the datasource's address names the environment variable "
            "REBOUND_TEST_UNSET, which is not set: set it for this program");
}

TEST(ReadGuard, CountsRowsAndBytes) {
  DatasourceLimits limits;
  limits.max_rows = 2;
  limits.max_bytes = 10;
  const std::vector<std::string_view> small = {"ab", "c"}, large = {"12345", "678"};
  const auto none = [](std::span<const std::string_view>) {};
  ReadGuard rows(limits, "X");
  rows.Tell(small, none);
  rows.Tell(small, none);
  EXPECT_EQ(ErrorOf([&] { rows.Tell(small, none); }),
            "too_large: X gives more than 2 rows: narrow the query");
  ReadGuard bytes(limits, "X");
  bytes.Tell(small, none);
  EXPECT_EQ(ErrorOf([&] { bytes.Tell(large, none); }),
            "too_large: X gives more than 10 bytes: narrow the query");
}

TEST(ReadGuard, EndsAtItsDeadline) {
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(0);
  ReadGuard guard(limits, "X");
  EXPECT_EQ(guard.left().count(), 0);
  EXPECT_EQ(ErrorOf([&] { guard.Tell({}, [](std::span<const std::string_view>) {}); }),
            "unavailable: X did not answer in full within 0 ms: check that it runs, or ask for "
            "less");
}

}  // namespace
}  // namespace rebound
