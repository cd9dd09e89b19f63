#include "datasource/postgres.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;

TEST(NextAttempt, ConflictsAreTriedFiveTimesWithLongerAndLongerPauses) {
  milliseconds before{0};
  for (int attempt = 1; attempt <= 4; ++attempt) {
    const auto wait = NextAttempt(SqlFault::kConflict, attempt, true);
    ASSERT_TRUE(wait.has_value()) << attempt;
    EXPECT_GT(*wait, before);
    before = *wait;
  }
  EXPECT_EQ(NextAttempt(SqlFault::kConflict, 5, true), std::nullopt);
}

TEST(NextAttempt, ABrokenConnectionIsTriedThreeTimesTheFirstAgainAtOnce) {
  EXPECT_EQ(NextAttempt(SqlFault::kDisconnect, 1, true), milliseconds(0));
  EXPECT_EQ(NextAttempt(SqlFault::kDisconnect, 2, false), milliseconds(500));
  EXPECT_EQ(NextAttempt(SqlFault::kDisconnect, 3, true), std::nullopt);
}

TEST(NextAttempt, ACommitInDoubtIsRepeatedOnlyWhereThatIsHarmless) {
  EXPECT_EQ(NextAttempt(SqlFault::kInDoubt, 1, true), milliseconds(0));
  EXPECT_EQ(NextAttempt(SqlFault::kInDoubt, 1, false), std::nullopt);
}

TEST(NextAttempt, OtherFaultsAreNeverRepeated) {
  EXPECT_EQ(NextAttempt(SqlFault::kOther, 1, true), std::nullopt);
}

TEST(ConnectionString, GetsOurLimits) {
  const std::string line = PostgresConnectionString("postgresql:///db?host=/tmp/x", {});
  EXPECT_NE(line.find("dbname='db' "), std::string::npos) << line;
  EXPECT_NE(line.find("host='/tmp/x' "), std::string::npos) << line;
  EXPECT_NE(line.find("connect_timeout='10' "), std::string::npos) << line;
  EXPECT_NE(line.find("-c statement_timeout=300000"), std::string::npos) << line;
  EXPECT_NE(line.find("-c lock_timeout=60000"), std::string::npos) << line;
  EXPECT_NE(line.find("-c idle_in_transaction_session_timeout=300000"), std::string::npos) << line;
}

TEST(ConnectionString, KeepsWhatTheUserSet) {
  const std::string line = PostgresConnectionString(
      "postgresql://u:it%27s@h:5/db?connect_timeout=3&options=-c%20statement_timeout%3D7", {});
  EXPECT_NE(line.find("connect_timeout='3' "), std::string::npos) << line;
  EXPECT_NE(line.find("password='it\\'s' "), std::string::npos) << line;
  EXPECT_GT(line.find("statement_timeout=7"), line.find("statement_timeout=300000")) << line;
}

TEST(ConnectionString, ReadsTheKeywordFormToo) {
  EXPECT_EQ(DescribePostgres("host=db.example port=6000 dbname=labels password=secret"),
            "database labels on db.example:6000");
}

TEST(ConnectionString, ARefusalDoesNotRepeatThePassword) {
  try {
    PostgresConnectionString("postgresql://u:secret@h:5/db?nonsense=1", {});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(std::string(e.what()),
              "the address of the database is no PostgreSQL URI: write it like "
              "postgresql://user@host:5432/rebound or postgresql:///rebound?host=/folder");
  }
}

TEST(SqlArray, QuotesWhatWouldReadAsSyntax) {
  SqlArray array;
  EXPECT_EQ(array.Take(), "{}");
  array.Add("a\"b\\c,{}");
  array.Add("");
  array.Add("NULL");
  array.AddNull();
  EXPECT_EQ(array.Take(), R"({"a\"b\\c,{}","","NULL",NULL})");
  array.AddInt(-5);
  array.AddBool(true);
  array.AddHex("0aff");
  EXPECT_EQ(array.Take(), R"({-5,t,"\\x0aff"})");
}

TEST(PostgresConnection, ADatabaseThatIsNotThereIsUnavailableWithARemedy) {
  int pauses = 0;
  PostgresOptions options;
  options.pause = [&](milliseconds) { ++pauses; };
  PostgresConnection connection("postgresql:///db?host=/nonexistent", options);
  try {
    connection.Transact(SqlIsolation::kReadCommitted, [](SqlTransaction&) {});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    const std::string message = e.what();
    EXPECT_EQ(message.find("database db on /nonexistent is not available ("), 0u) << message;
    EXPECT_NE(message.find("check that PostgreSQL runs and that --store is right"),
              std::string::npos)
        << message;
  }
  EXPECT_EQ(pauses, 2);
}

}  // namespace
}  // namespace rebound
