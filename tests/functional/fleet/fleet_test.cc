// A fleet under load: three real servers with folders of their own behind a real nginx with the
// configuration of deploy/, while versions are promoted and rolled back, a server is killed and
// comes back, and PostgreSQL is killed and comes back. No request fails, no answer is another
// version's than it names, and every server serves what was promoted last.
//
// REBOUND_FLEET_SECONDS: the strikes again and again for so long; once otherwise.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <regex>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "labelstore/model_registry.h"
#include "labelstore/roles.h"
#include "serve/key_file.h"
#include "tests/functional/fleet/nginx.h"
#include "tests/functional/serve/server_process.h"
#include "tests/functional/serve/telling_models.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr milliseconds kSoon{60'000};
#else
constexpr milliseconds kSoon{10'000};  // usually a fifth of a second; the machine may be busy
#endif

constexpr size_t kReplicas = 3;
struct Tally {
  std::atomic<uint64_t> answered{0};
  std::atomic<uint64_t> failed{0};
  std::mutex mutex;
  std::string first_problem;

  void Fail(const std::string& problem) {
    ++failed;
    const std::lock_guard lock(mutex);
    if (first_problem.empty()) first_problem = problem;
  }
};

// Asks through nginx until it is told to stop, and looks whether each answer is of the versions
// that it names.
class Client {
 public:
  Client(uint16_t port, unsigned seed, const std::atomic<bool>* stop, Tally* tally)
      : port_(port), random_(seed), stop_(stop), tally_(tally) {}

  void Run() {
    while (!*stop_) {
      try {
        HttpClient connection(port_);
        connection.SetPatience(std::chrono::seconds(40));
        for (int i = 0; i < 100 && !*stop_; ++i) AskOnce(&connection);
      } catch (const std::exception& e) {
        tally_->Fail(e.what());
      }
    }
  }

 private:
  void AskOnce(HttpClient* connection) {
    std::string body = R"({"messages":[)";
    const int texts = 1 + static_cast<int>(random_() % 8);
    for (int i = 0; i < texts; ++i) {
      body += (i == 0 ? "\"550 text " : ",\"550 text ") + std::to_string(random_() % 3000) + "\"";
    }
    const Reply reply = connection->Ask(
        PostRequest("/v3/classify", body + "]}", "X-API-Key: " + std::string("mta-key") + "\r\n"));
    ++tally_->answered;
    if (reply.status != 200) {
      return tally_->Fail(std::to_string(reply.status) + " " + reply.body);
    }
    if (!test::IsOfTheModelsNamed(reply.body)) tally_->Fail(reply.body);
  }

  const uint16_t port_;
  std::mt19937 random_;
  const std::atomic<bool>* const stop_;
  Tally* const tally_;
};

class FleetTest : public testing::Test {
 protected:
  FleetTest() : uri_(test::SharedCluster().NewStore()) {
    PostgresConnection owner(uri_);
    GrantRoles(&owner);
    owner.ExecuteAlone(
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'fleet') THEN "
        "CREATE ROLE fleet LOGIN; END IF; END $$");
    owner.ExecuteAlone("GRANT rebound_server, rebound_promoter TO fleet");
    WriteFileDurably(folder_.path() / "keys", "mta classify " + KeyField("mta-key") +
                                                  "\nops admin,classify " + KeyField("ops-key") +
                                                  "\n");
    UploadAll();
    registry_ = std::make_unique<ModelRegistry>(uri_);
    for (const Task task : kTasks) registry_->Promote(task, 1, "anna", "the first");
  }

  void UploadAll() {
    BundleStore trainer(folder_.path() / "trainer");
    ModelRegistry registry(uri_);
    for (const Task task : kTasks) {
      for (int version = 1; version <= test::kTellingVersions; ++version) {
        trainer.Publish(test::MakeTestDraft(test::TellingBundle(task, version))->draft);
        registry.Upload(trainer.BundleFolder(task, version));
      }
    }
  }

  void StartReplica(size_t i) {
    const std::string folder = folder_.path() / ("replica" + std::to_string(i));
    replicas_[i].emplace(std::vector<std::string>{
        "--listen", "127.0.0.1:" + std::to_string(ports_[i]), "--models", folder, "--store",
        uri_ + "&options=-crole%3Dfleet", "--from-registry", "--spool", folder + "/.spool",
        "--keys", folder_.path() / "keys", "--trusted-proxies", "127.0.0.1", "--threads", "1",
        "--log-level", "error"});
    ASSERT_NE(replicas_[i]->port(), 0) << replicas_[i]->first_line();
    ports_[i] = replicas_[i]->port();  // and the same again
  }

  // The configuration of deploy/, with the ports of this test.
  void StartNginx() {
    nginx_port_ = FreePort();
    std::string http = ReadFile(test::SourcePath("deploy/nginx-fleet.conf"));
    const auto replace = [&](const std::string& from, uint16_t port) {
      ASSERT_NE(http.find(from), std::string::npos) << from;
      http = std::regex_replace(http, std::regex(from), "127.0.0.1:" + std::to_string(port));
    };
    for (size_t i = 0; i < kReplicas; ++i) {
      replace("127.0.0.1:808" + std::to_string(i + 1), ports_[i]);
    }
    replace("127.0.0.1:8080", nginx_port_);
    nginx_.emplace(http, nginx_port_);
  }

  // The version of a task that a replica says it serves; 0 where it says nothing.
  int Serving(size_t i, Task task) {
    try {
      const Reply reply =
          HttpClient(ports_[i]).Ask(GetRequest("/v3/models", "X-API-Key: ops-key\r\n"));
      if (reply.status != 200) return 0;
      const JsonDocument models = ParseJson(reply.body);
      for (const JsonValue& model : GetJson(models, "models").GetArray()) {
        if (GetJsonString(model, "task") != TaskName(task)) continue;
        const JsonValue* version = FindJson(model, "version");
        return version == nullptr ? 0 : version->GetInt();
      }
    } catch (const std::runtime_error&) {
    }
    return 0;
  }
  // Until each of these serves `version` of all tasks.
  void ExpectServe(const std::vector<size_t>& replicas, int version, const char* what) {
    const auto start = Clock::now();
    for (const size_t i : replicas) {
      for (const Task task : kTasks) {
        while (Serving(i, task) != version && Clock::now() < start + kSoon) poll(nullptr, 0, 5);
        EXPECT_EQ(Serving(i, task), version) << what << ", replica " << i << ", " << TaskName(task);
      }
    }
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    slowest_ = std::max(slowest_, took);
    std::printf("%-48s version %d, all of %zu after %lld ms\n", what, version, replicas.size(),
                static_cast<long long>(took.count()));
  }

  void Promote(int version) {
    for (const Task task : kTasks) registry_->Promote(task, version, "anna", "");
  }
  // Through a replica, as an operator does; the status of the last task's answer.
  int AskReplica(size_t i, const std::string& what, const std::string& body) {
    int status = 0;
    for (const Task task : kTasks) {
      HttpClient connection(ports_[i]);
      connection.SetPatience(std::chrono::seconds(40));
      const Reply reply =
          connection.Ask(PostRequest("/v3/models/" + std::string(TaskName(task)) + "/" + what, body,
                                     "X-API-Key: ops-key\r\n"));
      status = reply.status;
      last_answer_ = reply.body;
    }
    return status;
  }

  void PromotionsAndRollbacks() {
    Promote(2);
    ExpectServe({0, 1, 2}, 2, "promoted in the registry:");
    EXPECT_EQ(AskReplica(0, "promote", R"({"version":3,"reason":"better"})"), 200) << last_answer_;
    ExpectServe({0, 1, 2}, 3, "promoted at one server:");
    EXPECT_EQ(AskReplica(1, "rollback", R"({"reason":"worse"})"), 200) << last_answer_;
    ExpectServe({0, 1, 2}, 2, "rolled back at another:");
    EXPECT_EQ(registry_->Current(Task::kBnac)->by, "ops");
    EXPECT_EQ(registry_->Current(Task::kBnac)->reason, "worse");
  }
  void AServerDiesAndMissesPromotions() {
    replicas_[2].reset();  // by kill -9
    Promote(3);
    Promote(4);
    ExpectServe({0, 1}, 4, "promoted while one was dead:");
    StartReplica(2);
    ExpectServe({2}, 4, "the dead one came back:");
  }
  void AServerLosesItsDisk() {
    replicas_[1].reset();
    std::filesystem::remove_all(folder_.path() / "replica1");
    StartReplica(1);
    ExpectServe({0, 1, 2}, 4, "one came back with an empty disk:");
  }
  void TheDatabaseDies() {
    const uint64_t before = tally_.answered;
    test::SharedCluster().Kill();
    EXPECT_EQ(AskReplica(0, "promote", R"({"version":1})"), 503) << last_answer_;
    ExpectServe({0, 1, 2}, 4, "the database died; nothing was half done:");
    while (tally_.answered < before + 200 && tally_.failed == 0) poll(nullptr, 0, 5);
    test::SharedCluster().Start();
    registry_ = std::make_unique<ModelRegistry>(uri_);
    Promote(1);
    ExpectServe({0, 1, 2}, 1, "promoted once it was back:");
  }

  // Every session of the servers, from now on.
  void SignalSessions(int number) {
    PostgresConnection(test::SharedCluster().uri())
        .Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
          const SqlRows rows = sql.Execute(
              "SELECT pid FROM pg_stat_activity WHERE application_name = 'rebound-serve'");
          for (size_t row = 0; row < rows.size(); ++row) {
            kill(static_cast<pid_t>(rows.Int(row, 0)), number);
          }
        });
  }
  // Each in the middle of a look at a database that is silent.
  void TheServersStopPromptly() {
    SignalSessions(SIGSTOP);
    for (auto& replica : replicas_) replica->Signal(SIGHUP);
    poll(nullptr, 0, 500);  // the look begins
    const auto start = Clock::now();
    for (auto& replica : replicas_) replica->Signal(SIGTERM);
    for (auto& replica : replicas_) EXPECT_EQ(replica->Wait(), 0);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    std::printf("stopped while the database was silent after %lld ms\n",
                static_cast<long long>(took.count()));
    EXPECT_LT(took, kSoon);
    SignalSessions(SIGCONT);
  }

  const std::string uri_;
  TempFolder folder_;
  std::unique_ptr<ModelRegistry> registry_;
  std::array<std::optional<ServerProcess>, kReplicas> replicas_;
  std::array<uint16_t, kReplicas> ports_{};
  uint16_t nginx_port_ = 0;
  std::optional<Nginx> nginx_;
  Tally tally_;
  milliseconds slowest_{0};
  std::string last_answer_;
};

TEST_F(FleetTest, FollowsOnePromotionUnderLoadWhateverDies) {
  const char* wish = std::getenv("REBOUND_FLEET_SECONDS");
  const auto end = Clock::now() + std::chrono::seconds(wish == nullptr ? 0 : std::atoi(wish));
  for (size_t i = 0; i < kReplicas; ++i) ASSERT_NO_FATAL_FAILURE(StartReplica(i));
  ExpectServe({0, 1, 2}, 1, "started with empty folders:");
  StartNginx();

  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    clients.emplace_back([&, seed] { Client(nginx_port_, seed, &stop, &tally_).Run(); });
  }
  const auto start = Clock::now();
  int rounds = 0;
  do {
    PromotionsAndRollbacks();
    AServerDiesAndMissesPromotions();
    AServerLosesItsDisk();
    TheDatabaseDies();
    ++rounds;
  } while (Clock::now() < end && !HasFailure());
  stop = true;
  for (std::thread& client : clients) client.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%d rounds, %.1f s: %llu answered, %llu failed or wrong, slowest to follow %lld ms\n",
              rounds, seconds, static_cast<unsigned long long>(tally_.answered),
              static_cast<unsigned long long>(tally_.failed),
              static_cast<long long>(slowest_.count()));
  EXPECT_EQ(tally_.failed, 0U) << tally_.first_problem << "\n" << nginx_->Errors();
  EXPECT_GE(tally_.answered, 200U);
  TheServersStopPromptly();
}

}  // namespace
}  // namespace rebound
