// What SqliteDatabase::Transact returned from is there after kill -9, and nothing else by halves.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "datasource/sqlite.h"

namespace rebound {
namespace {

// Writes pairs of rows for ever and tells each commit through `out`.
[[noreturn]] void WriteUntilKilled(const std::filesystem::path& path, int out) {
  SqliteDatabase database(path);
  while (true) {
    database.Transact([&] {
      database.Execute("INSERT INTO t VALUES (zeroblob(3000))");
      database.Execute("INSERT INTO t VALUES (zeroblob(3000))");
    });
    if (::write(out, "x", 1) != 1) ::_exit(1);
  }
}

TEST(SqliteCrash, EveryToldCommitIsThereAfterAKill) {
  const TempFolder folder;
  const auto path = folder.path() / "own.db";
  SqliteDatabase(path).ExecuteScript("CREATE TABLE t (a);");
  int64_t told = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t writer = ::fork();
    if (writer == 0) WriteUntilKilled(path, ends[1]);
    ::close(ends[1]);
    char byte;
    for (int i = 0; i < 10 + 7 * round && ::read(ends[0], &byte, 1) == 1; ++i) ++told;
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    while (::read(ends[0], &byte, 1) == 1) ++told;
    ::close(ends[0]);
    int64_t rows = 0;
    std::string state;
    SqliteDatabase database(path);
    database.Execute("SELECT count(*) FROM t", {},
                     [&](const SqliteRow& row) { rows = row.Int(0); });
    database.Execute("PRAGMA integrity_check", {},
                     [&](const SqliteRow& row) { state += row.Text(0); });
    EXPECT_EQ(rows % 2, 0);
    EXPECT_GE(rows / 2, told);
    EXPECT_LE(rows / 2, told + round + 1);  // one a round may have been on its way
    EXPECT_EQ(state, "ok");
  }
}

}  // namespace
}  // namespace rebound
