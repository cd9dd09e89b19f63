// What was acknowledged is in the store, once and in order, whatever was killed meanwhile: clients
// submit to the real server while PostgreSQL and the server are killed and started again.
//
// REBOUND_CONTRIBUTIONS: how many are acknowledged before the end, 500 otherwise.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "datasource/postgres.h"
#include "serve/key_file.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/support/postgres.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

constexpr int kClients = 4;

int Wanted() {
  const char* wanted = std::getenv("REBOUND_CONTRIBUTIONS");
  return wanted == nullptr ? 500 : std::atoi(wanted);
}

// A text of its own for every submission: words of letters, as numbers are normalised away.
std::string TextOf(int client, int number) {
  std::string word = "q";
  for (int rest = number, k = 0; k < 4; ++k, rest /= 26) word += static_cast<char>('a' + rest % 26);
  return "550 no such " + word + "z of " + std::string(1, static_cast<char>('a' + client)) +
         "client";
}

// What a client knows of what it sent.
struct Sent {
  std::string text;
  std::string label;  // the last one that was acknowledged
  int acknowledged = 0;
};

class ContributeKillTest : public testing::Test {
 protected:
  ContributeKillTest() : uri_(test::SharedCluster().NewStore()) {
    BundleStore store(models_.path());
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store, bundle);
    }
    std::string keys;
    for (int i = 0; i < kClients; ++i) {
      keys += "client" + std::to_string(i) + " contribute " + KeyField(KeyOf(i)) + "\n";
    }
    WriteFileDurably(folder_.path() / "keys", keys);
    StartServer();
  }
  static std::string KeyOf(int client) { return "key-of-client-" + std::to_string(client); }

  void StartServer() {
    // The port stays the same, as a service's does.
    server_.emplace(std::vector<std::string>{
        "--listen", "127.0.0.1:" + std::to_string(port_.load()), "--models", models_.path(),
        "--keys", folder_.path() / "keys", "--store", uri_, "--spool", folder_.path() / "spool",
        "--store-timeout", "1", "--threads", "2", "--log-level", "error"});
    ASSERT_NE(server_->port(), 0) << server_->first_line();
    port_ = server_->port();
  }
  void KillServer() {
    server_.reset();  // by kill -9
    StartServer();
  }
  void StopStore() {
    if (store_runs_) test::SharedCluster().Kill();
    store_runs_ = false;
  }
  void StartStore() {
    if (!store_runs_) test::SharedCluster().Start();
    store_runs_ = true;
  }
  void Strike(int number) {
    switch (number % 8) {
      case 0:
        return StopStore();
      case 2:
        StartStore();
        // From here on the store takes them at once again.
        ASSERT_TRUE(EventuallyDelivered());
        return;
      case 5:
        return StartStore();
      case 4:
        StopStore();
        return KillServer();
      case 6:
        KillServer();
        return KillServer();
      case 7:
        StopStore();
        return StartStore();
      default:
        return KillServer();
    }
  }

  // The status; 0 where the connection broke: nobody knows then.
  int Submit(int client, const std::string& text, const std::string& label,
             const std::string& idempotency_key) {
    std::string body;
    JsonWriter(&body).Object(
        [&](JsonWriter& w) { w.Key("message").String(text).Key("label").String(label); });
    std::string headers = "X-API-Key: " + KeyOf(client) + "\r\n";
    if (!idempotency_key.empty()) headers += "Idempotency-Key: " + idempotency_key + "\r\n";
    try {
      HttpClient connection(port_);
      connection.SetPatience(std::chrono::seconds(60));
      return connection.Ask(PostRequest("/api/proposals", body, headers)).status;
    } catch (const std::runtime_error&) {
      poll(nullptr, 0, 5);  // the server is being started
      return 0;
    }
  }
  void Note(int status, const std::string& label, Sent* sent) {
    ASSERT_TRUE(status == 200 || status == 201 || status == 202) << status;
    sent->label = label;
    ++sent->acknowledged;
    ++acknowledged_;
    ++by_status_[status == 202 ? 1 : 0];
  }
  // Until it is acknowledged: a key makes that safe.
  void SubmitSurely(int client, const std::string& label, const std::string& key, Sent* sent) {
    for (;;) {
      const int status = Submit(client, sent->text, label, key);
      if (status != 0 && status != 503) return Note(status, label, sent);
    }
  }
  void RunClient(int client, std::vector<Sent>* all) {
    for (int i = 0; acknowledged_ < Wanted(); ++i) {
      while (acknowledged_ >= allowed_) poll(nullptr, 0, 1);
      Sent sent;
      sent.text = TextOf(client, i);
      const std::string key = "k" + std::to_string(i);
      if (i % 2 == 0) {
        const int status = Submit(client, sent.text, "user_unknown", "");
        // Who gives up does not know: it may be there, but not twice.
        if (status != 0 && status != 503) Note(status, "user_unknown", &sent);
      } else {
        SubmitSurely(client, "user_unknown", key, &sent);
        if (i % 5 == 0) SubmitSurely(client, "mailbox_full", key + "-again", &sent);
      }
      all->push_back(std::move(sent));
    }
  }
  bool EventuallyDelivered() {
    for (int i = 0; i < 6000; ++i) {
      const Reply page = HttpClient(port_).Ask(GetRequest("/metrics"));
      if (test::ReadMetricsPage(page.body).Value("rebound_spool_depth") == 0) return true;
      poll(nullptr, 0, 10);
    }
    return false;
  }

  // The store against what the clients know.
  void Compare(int client, const std::vector<Sent>& all) {
    std::vector<std::string> stored;  // in order
    std::map<std::string, std::string> labels;
    std::map<std::string, int64_t> arrivals;
    PostgresConnection(uri_).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      const SqlRows rows = sql.Execute(
          "SELECT t.text, l.name, (SELECT count(*) FROM rebound.deliveries d "
          "WHERE d.proposal_id = p.id) FROM rebound.proposals p "
          "JOIN rebound.contributed_texts t ON t.id = p.text_id "
          "JOIN rebound.proposal_labels pl ON pl.proposal_id = p.id AND pl.label_id IS NOT NULL "
          "JOIN rebound.labels l ON l.id = pl.label_id "
          "WHERE p.contributor = $1 ORDER BY p.id",
          {"client" + std::to_string(client)});
      for (size_t row = 0; row < rows.size(); ++row) {
        stored.emplace_back(rows.Text(row, 0));
        labels[stored.back()] = rows.Text(row, 1);
        arrivals[stored.back()] = rows.Int(row, 2);
      }
    });
    EXPECT_EQ(labels.size(), stored.size()) << "a text twice";
    std::vector<std::string> acknowledged;
    std::set<std::string> unknown;
    for (const Sent& sent : all) {
      if (sent.acknowledged == 0) {
        unknown.insert(sent.text);
        continue;
      }
      acknowledged.push_back(sent.text);
      EXPECT_EQ(labels[sent.text], sent.label) << sent.text;
      EXPECT_EQ(arrivals[sent.text], sent.acknowledged) << sent.text;
    }
    std::erase_if(stored, [&](const std::string& text) { return unknown.contains(text); });
    EXPECT_EQ(stored, acknowledged) << "all of them, once, in the order of sending";
  }

  const std::string uri_;
  TempFolder models_;
  TempFolder folder_;
  std::optional<ServerProcess> server_;
  std::atomic<uint16_t> port_ = 0;
  bool store_runs_ = true;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<int> allowed_ = 100;
  std::array<std::atomic<int>, 2> by_status_{};  // stored, spooled
};

TEST_F(ContributeKillTest, NothingAcknowledgedIsLostOrDoubledWhateverIsKilled) {
  std::vector<std::vector<Sent>> sent(kClients);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([this, i, &sent] { RunClient(i, &sent[static_cast<size_t>(i)]); });
  }
  // A strike after every so many acknowledged ones, so that each finds the server at work; nobody
  // runs ahead of the next one.
  constexpr int kBetween = 50;
  int strikes = 0;
  for (int next = kBetween / 2; next < Wanted(); next += kBetween) {
    while (acknowledged_ < next) poll(nullptr, 0, 1);
    allowed_ = next + kBetween;
    Strike(strikes++);
  }
  allowed_ = std::numeric_limits<int>::max();
  for (std::thread& client : clients) client.join();
  StartStore();
  ASSERT_TRUE(EventuallyDelivered());
  for (int i = 0; i < kClients; ++i) Compare(i, sent[static_cast<size_t>(i)]);
  EXPECT_GT(by_status_[0], 0);
  EXPECT_GT(by_status_[1], 0);
  EXPECT_EQ(test::ReadMetricsPage(HttpClient(port_).Ask(GetRequest("/metrics")).body)
                .Value("rebound_spool_dead"),
            0);
  std::printf("%d acknowledged, %d by the store, %d by the spool; %d strikes\n",
              acknowledged_.load(), by_status_[0].load(), by_status_[1].load(), strikes);
}

TEST_F(ContributeKillTest, AStopWhileTheStoreIsAwayKeepsWhatWaits) {
  StopStore();
  Sent sent;
  sent.text = TextOf(0, 1);
  SubmitSurely(0, "user_unknown", "", &sent);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  StartServer();
  StartStore();
  ASSERT_TRUE(EventuallyDelivered());
  Compare(0, {sent});
}

}  // namespace
}  // namespace rebound
