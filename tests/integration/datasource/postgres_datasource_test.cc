// The datasource of PostgreSQL against a real one.
#include <gtest/gtest.h>

#include "datasource/postgres.h"
#include "tests/support/datasources.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using test::ReadAll;
using test::ReadError;
using test::Rows;

class PostgresDatasource : public testing::Test {
 protected:
  PostgresDatasource() {
    PostgresConnection(uri_).Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
      sql.ExecuteScript(
          "CREATE TABLE public.overrides (domain text, bounce_code int, rule text);"
          "INSERT INTO public.overrides VALUES ('', 10, 'gr\xC3\xBC\xC3\x9F dich'), "
          "('example.org', 99, NULL)");
    });
  }

  // "PostgreSQL database test_1 on /tmp/..."
  std::string Source() const { return OpenDatasource(uri_)->description(); }

  const std::string uri_ = test::SharedCluster().NewDatabase();
};

TEST_F(PostgresDatasource, GivesRowsOfText) {
  const std::string query = "SELECT domain, bounce_code, rule FROM overrides ORDER BY 2;";
  const Rows rows = {{"", "10", "gr\xC3\xBC\xC3\x9F dich"}, {"example.org", "99", ""}};
  EXPECT_EQ(ReadAll(uri_, query, 3), rows);
  const std::string settings = uri_.substr(uri_.find("host="));
  const std::string name = uri_.substr(uri_.find("///") + 3, uri_.find('?') - uri_.find("///") - 3);
  const std::string host = settings.substr(0, settings.find('&'));
  EXPECT_EQ(ReadAll("pgsql:" + host + ";dbname=" + name + ";user=rebound", query, 3), rows);
  EXPECT_EQ(ReadAll("postgres" + uri_.substr(uri_.find(':')), query, 3), rows);
}

TEST_F(PostgresDatasource, ReadsManyRowsWithinTheLimits) {
  size_t rows = 0, bytes = 0;
  OpenDatasource(uri_)->Read("SELECT i, repeat('x', 20) FROM generate_series(1, 100000) i", 2,
                             [&](std::span<const std::string_view> fields) {
                               ++rows;
                               bytes += fields[1].size();
                             });
  EXPECT_EQ(rows, 100000u);
  EXPECT_EQ(bytes, 2000000u);
  DatasourceLimits limits;
  limits.max_rows = 1000;
  EXPECT_EQ(ReadError(uri_, "SELECT generate_series(1, 1000000000)", 1, limits),
            "too_large: " + Source() + " gives more than 1000 rows: narrow the query");
  limits.max_bytes = 100;
  EXPECT_EQ(ReadError(uri_, "SELECT repeat('x', 101)", 1, limits),
            "too_large: " + Source() + " gives more than 100 bytes: narrow the query");
}

TEST_F(PostgresDatasource, RefusesWhatWouldDoMoreThanRead) {
  EXPECT_EQ(ReadError(uri_, "INSERT INTO overrides VALUES ('a', 1, 'b') RETURNING rule", 1),
            "invalid_argument: " + Source() +
                ": ERROR: cannot execute INSERT in a read-only transaction: the query may only "
                "read");
  EXPECT_TRUE(Holds(ReadError(uri_, "DROP TABLE overrides", 1), "the query may only read"));
  EXPECT_TRUE(Holds(ReadError(uri_, "COMMIT; DROP TABLE overrides", 1),
                    "cannot insert multiple commands into a prepared statement"));
  EXPECT_TRUE(Holds(ReadError(uri_, "SELECT set_config('transaction_read_only', 'off', false)", 1),
                    "invalid_argument: "));
  EXPECT_EQ(ReadError(uri_, "COPY overrides TO STDOUT", 1),
            "invalid_argument: the query to " + Source() + " gives no rows: write one SELECT");
  EXPECT_EQ(ReadAll(uri_, "SELECT count(*) FROM overrides", 1), (Rows{{"2"}}));
}

TEST_F(PostgresDatasource, RefusesAWrongQuery) {
  EXPECT_EQ(ReadError(uri_, "SELEC 1", 1),
            "invalid_argument: " + Source() + ": ERROR: syntax error at or near \"SELEC\"");
  EXPECT_EQ(ReadError(uri_, "SELECT 1, 2", 3),
            "invalid_argument: the query to " + Source() + " gives 2 columns where 3 are wanted");
  EXPECT_EQ(ReadError(uri_, "SELECT 1, 2 WHERE false", 3),
            "invalid_argument: the query to " + Source() + " gives 2 columns where 3 are wanted");
  EXPECT_EQ(ReadError(uri_, "", 1), "invalid_argument: the query to " + Source() + " is empty");
  EXPECT_EQ(ReadError(uri_, std::string_view("SELECT 1\0", 9), 1),
            "invalid_argument: the query to " + Source() + " holds a NUL byte");
  EXPECT_EQ(ReadError(uri_, "SELECT x FROM missing", 1),
            "not_found: " + Source() + ": ERROR: relation \"missing\" does not exist");
  EXPECT_TRUE(Holds(ReadError(uri_, "SELECT 1 / (2 - bounce_code / 5) FROM overrides", 1),
                    "invalid_argument: " + Source() + ": ERROR: division by zero"));
}

TEST_F(PostgresDatasource, BytesAreHexadecimalUnlessTheAddressAsksForThemRaw) {
  EXPECT_EQ(ReadAll(uri_, "SELECT '\\xff00'::bytea", 1), (Rows{{"\\xff00"}}));
  EXPECT_EQ(ReadAll(uri_ + "&client_encoding=LATIN1", "SELECT chr(252)", 1), (Rows{{"\xFC"}}));
}

TEST_F(PostgresDatasource, ADatabaseOrUserThatIsNotThereIsTold) {
  std::string other = uri_;
  other.replace(other.find("///") + 3, other.find('?') - other.find("///") - 3, "missing");
  EXPECT_TRUE(Holds(ReadError(other, "SELECT 1", 1), "FATAL: database \"missing\" does not exist"));
  EXPECT_EQ(ReadError(other, "SELECT 1", 1).substr(0, 10), "not_found:");
  const std::string error = ReadError(uri_ + "&user=stranger", "SELECT 1", 1);
  EXPECT_EQ(error.substr(0, 17), "invalid_argument:") << error;
  EXPECT_TRUE(Holds(error, ": check the user and the password"));
}

TEST_F(PostgresDatasource, AQueryThatTakesTooLongIsUnavailable) {
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(200);
  EXPECT_EQ(ReadError(uri_, "SELECT pg_sleep(60)", 1, limits),
            "unavailable: " + Source() +
                " did not answer in full within 200 ms: check that it runs, or ask for less");
}

TEST_F(PostgresDatasource, ALockedTableIsUnavailable) {
  PostgresConnection holder(uri_);
  holder.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("LOCK TABLE public.overrides");
    DatasourceLimits limits;
    limits.timeout = std::chrono::milliseconds(200);
    EXPECT_TRUE(Holds(ReadError(uri_, "SELECT domain FROM overrides", 1, limits),
                      "unavailable: " + Source()));
  });
}

TEST(PostgresDatasourceServer, OneThatNeverAnswersIsUnavailableAtTheTimeout) {
  const test::SilentServer server;
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(100);
  EXPECT_EQ(ReadError("postgresql://u@127.0.0.1:" + server.port() + "/x", "SELECT 1", 1, limits),
            "unavailable: PostgreSQL database x on 127.0.0.1:" + server.port() +
                " did not answer in full within 100 ms: check that it runs, or ask for less");
}

TEST(PostgresDatasourceServer, OneThatIsKilledIsUnavailableUntilItRunsAgain) {
  test::TestCluster cluster;
  const std::string uri = cluster.NewDatabase();
  const auto source = OpenDatasource(uri);
  EXPECT_EQ(ReadAll(source.get(), "SELECT 1", 1), (Rows{{"1"}}));
  EXPECT_EQ(ErrorOf([&] {
              source->Read("SELECT generate_series(1, 1000000000)", 1,
                           [&, killed = false](std::span<const std::string_view>) mutable {
                             if (!std::exchange(killed, true)) cluster.Kill();
                           });
            }).substr(0, 12),
            "unavailable:");
  const std::string error = ErrorOf([&] { ReadAll(source.get(), "SELECT 1", 1); });
  EXPECT_TRUE(Holds(error, "unavailable: " + source->description() + ": connection to server"));
  EXPECT_TRUE(Holds(error, ": check that PostgreSQL runs there"));
  cluster.Start();
  EXPECT_EQ(ReadAll(source.get(), "SELECT 1", 1), (Rows{{"1"}}));
}

}  // namespace
}  // namespace rebound
