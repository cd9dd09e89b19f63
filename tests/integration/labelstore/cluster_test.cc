// tools/postgres: what it makes, what it survives.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "datasource/postgres.h"
#include "errors.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

// What tools/postgres makes of one folder.
class ClusterFolder {
 public:
  ClusterFolder() { ::chmod(folder_.path().c_str(), 0711); }
  ~ClusterFolder() { Run("destroy"); }
  ClusterFolder(const ClusterFolder&) = delete;
  ClusterFolder& operator=(const ClusterFolder&) = delete;

  test::Ran Run(const std::string& command, const std::string& options = "") {
    return test::RunCommand(test::SourcePath("tools/postgres") + " " + command + " " +
                            path().string() + " " + options);
  }
  std::string Start() {
    const test::Ran ran = Run("start", "--fast --while " + std::to_string(::getpid()));
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
    return std::string(Trim(ran.output));
  }
  fs::path Place() { return std::string(Trim(ReadFile(path() / "place"))); }
  fs::path path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

std::string Ask(const std::string& uri, const std::string& query) {
  std::string answer;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    answer = sql.Execute(query).Text(0, 0);
  });
  return answer;
}

// A folder for the test alone.
class NewCluster : public testing::Test {
 protected:
  test::Ran Run(const std::string& command, const std::string& options = "") {
    return cluster_.Run(command, options);
  }
  std::string Start() { return cluster_.Start(); }
  fs::path Place() { return cluster_.Place(); }

  ClusterFolder cluster_;
};

// One folder for all of these: whatever one of them leaves, the next one's start must cope with.
class Cluster : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = new ClusterFolder; }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  test::Ran Run(const std::string& command, const std::string& options = "") {
    return cluster_->Run(command, options);
  }
  std::string Start() { return cluster_->Start(); }
  fs::path Place() { return cluster_->Place(); }
  static void Keep(const std::string& uri) {
    PostgresConnection(uri).ExecuteAlone("DROP TABLE IF EXISTS public.kept");
    PostgresConnection(uri).ExecuteAlone("CREATE TABLE public.kept AS SELECT 42 AS n");
  }

  static ClusterFolder* cluster_;
};
ClusterFolder* Cluster::cluster_ = nullptr;

TEST_F(Cluster, ListensOnASocketOfItsOwnAlone) {
  const std::string uri = Start();
  EXPECT_EQ(Ask(uri, "SELECT current_setting('listen_addresses')"), "");
  EXPECT_EQ(Ask(uri, "SELECT current_database() || ' ' || current_user"), "rebound rebound");
  const std::string socket = ReadFile(Place() / "socket");
  EXPECT_LT(socket.size() + std::string("/.s.PGSQL.5432").size(), 107u);
  struct stat info {};
  ASSERT_EQ(::stat(socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0700u);
}

TEST_F(Cluster, StartingAgainGivesTheSameServer) {
  const std::string uri = Start();
  const std::string since = Ask(uri, "SELECT pg_postmaster_start_time()::text");
  EXPECT_EQ(Start(), uri);
  EXPECT_EQ(Ask(uri, "SELECT pg_postmaster_start_time()::text"), since);
  EXPECT_EQ(std::string(Trim(Run("uri").output)), uri);
}

TEST_F(Cluster, DataSurviveAStop) {
  Keep(Start());
  EXPECT_EQ(Run("stop").exit_code, 0);
  const test::Ran stopped = Run("uri");
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_TRUE(Holds(stopped.errors, "is not running: tools/postgres start "));
  EXPECT_EQ(Run("stop").exit_code, 0);
  EXPECT_EQ(Ask(Start(), "SELECT n FROM public.kept"), "42");
}

TEST_F(Cluster, StartsAfterItsServerWasKilledAndItsSocketFolderLost) {
  Keep(Start());
  const std::string pid = ReadFile(Place() / "data/postmaster.pid");
  test::RunCommand("kill -9 " + pid.substr(0, pid.find('\n')));
  fs::remove_all(std::string(Trim(ReadFile(Place() / "socket"))));
  EXPECT_EQ(Ask(Start(), "SELECT n FROM public.kept"), "42");
}

TEST_F(Cluster, AStalePidOfAnotherProcessDoesNotBlockTheStart) {
  Start();
  Run("stop");
  // Our own id: alive, and certainly no PostgreSQL.
  std::ofstream(Place() / "data/postmaster.pid") << ::getpid() << "\n" << Place().string() << "\n";
  EXPECT_EQ(Ask(Start(), "SELECT 1"), "1");
}

TEST_F(NewCluster, AHalfMadeOneIsMadeAnew) {
  Start();
  Run("stop");
  fs::rename(Place() / "data", Place() / "data.new.123");
  fs::remove(Place() / "data.new.123" / "PG_VERSION");
  EXPECT_EQ(Ask(Start(), "SELECT 1"), "1");
  EXPECT_FALSE(fs::exists(Place() / "data.new.123"));
}

TEST_F(NewCluster, ManyStartsAtOnceMakeOne) {
  std::array<std::string, 4> uris;
  std::vector<std::thread> threads;
  for (std::string& uri : uris) threads.emplace_back([&] { uri = Start(); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& uri : uris) EXPECT_EQ(uri, uris[0]);
}

TEST_F(NewCluster, AFolderThatIsClosedToTheOwnerHoldsTheNameOfThePlaceAlone) {
  ::chmod(cluster_.path().c_str(), 0700);
  EXPECT_EQ(Ask(Start(), "SELECT 1"), "1");
  const fs::path place = Place();
  if (::geteuid() == 0) {
    EXPECT_EQ(place.parent_path(), "/var/lib/rebound");
  } else {
    EXPECT_EQ(place.parent_path(), cluster_.path());
  }
  EXPECT_EQ(Run("destroy").exit_code, 0);
  EXPECT_FALSE(fs::exists(place));
}

TEST_F(NewCluster, GoesWithTheProcessThatItWasStartedFor) {
  const test::Ran ran =
      test::RunCommand("bash -c '" + test::SourcePath("tools/postgres") + " start " +
                       cluster_.path().string() + " --fast --while $$; kill -9 $$'");
  ASSERT_TRUE(Holds(ran.output, "postgresql:///rebound?host="));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (fs::exists(cluster_.path() / "place") && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(fs::exists(cluster_.path() / "place"));
}

TEST_F(NewCluster, WrongUseIsTold) {
  EXPECT_EQ(Run("fly").exit_code, 2);
  EXPECT_EQ(Run("start", "--fats").exit_code, 2);
  const test::Ran none = Run("uri");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(Holds(none.errors, "no cluster in "));
}

}  // namespace
}  // namespace rebound
