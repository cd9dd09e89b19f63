// The real binary over real sockets.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

const std::string kGreylisting =
    R"({"message":"smtp;451 4.7.1 <user@example.com>: Recipient address rejected: Greylisting in effect, please come back later"})";

class ServeTest : public testing::Test {
 protected:
  int Publish(Task task = Task::kBnac, std::string always = "") {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.always = std::move(always);
    return test::PublishTestBundle(&store_, bundle);
  }
  void PublishAll() {
    for (const Task task : kTasks) Publish(task);
  }
  ServerProcess& Start(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--listen",  "127.0.0.1:0", "--models",    folder_.path(),
                                          "--threads", "2",           "--log-level", "error"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments);
    return *server_;
  }
  Reply Get(const std::string& path) { return HttpClient(server_->port()).Ask(GetRequest(path)); }
  Reply Post(const std::string& path, const std::string& body) {
    return HttpClient(server_->port()).Ask(PostRequest(path, body));
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }
  bool EventuallyAnswers(const std::string& answer) {
    return Eventually([&] { return Post("/v1/bnac/single", kGreylisting).body == answer; });
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<ServerProcess> server_;
};

TEST_F(ServeTest, ServesFromTheFirstLineOn) {
  PublishAll();
  Start();
  EXPECT_EQ(server_->first_line(), "listening on 127.0.0.1:" + std::to_string(server_->port()));
  EXPECT_EQ(Get("/readyz").status, 200);
  const Reply reply = Post("/v1/bnac/single", kGreylisting);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_EQ(reply.body, R"({"class":"GRAYLISTING"})");
  EXPECT_EQ(Post("/v1/backoff", kGreylisting).body,
            R"([{"class":"GRAYLISTING","fields":[],"actions":[]}])");
}

TEST_F(ServeTest, StartsWithoutModelsAndServesThemWhenTheyCome) {
  Start();
  EXPECT_EQ(Get("/livez").status, 200);
  const Reply reply = Post("/v1/bnac/single", kGreylisting);
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "5");
  EXPECT_NE(Get("/readyz").body.find("bnac: no bundle was promoted"), std::string::npos);
  PublishAll();
  EXPECT_TRUE(Eventually([&] { return Get("/readyz").status == 200; }));
}

TEST_F(ServeTest, HotReloadFailsNoRequestAndMixesNoModels) {
  PublishAll();
  const std::string labels[] = {"SPF", "DKIM", "TLS", "VIRUS"};
  Publish(Task::kBnac, labels[0]);
  Start();
  std::string batch = R"({"messages":["a 1","b 2","c 3","d 4","e 5","f 6","g 7","h 8"]})";
  std::atomic<bool> stop{false};
  std::vector<std::set<std::string>> seen(3);
  std::vector<std::thread> clients;
  for (auto& answers : seen) {
    clients.emplace_back([&, path = &answers == &seen[0] ? "/v1/bnac?bypass_cache=1" : "/v1/bnac"] {
      HttpClient client(server_->port());
      while (!stop) {
        const Reply reply = client.Ask(PostRequest(path, batch));
        ASSERT_EQ(reply.status, 200) << reply.body;
        answers.insert(reply.body);
      }
    });
  }
  for (int round = 1; round <= 8; ++round) {
    const std::string& label = labels[round % 4];
    Publish(Task::kBnac, label);
    EXPECT_TRUE(EventuallyAnswers(R"({"class":")" + label + R"("})")) << "round " << round;
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  for (const auto& answers : seen) {
    for (const std::string& answer : answers) {
      const JsonDocument classes = ParseJson(answer);
      ASSERT_EQ(classes.Size(), 8u);
      for (const JsonValue& one : classes.GetArray()) EXPECT_EQ(one, classes[0]) << answer;
    }
  }
  EXPECT_GE(seen[0].size(), 2u) << "requests ran while the models changed";
}

TEST_F(ServeTest, ACorruptBundleIsRefusedWithAReasonAndTheOldOneServes) {
  PublishAll();
  Start();
  // Published, then broken before it is promoted: as a disk or a copy would.
  test::TestBundle bundle;
  bundle.always = "SPF";
  const int version = store_.Publish(test::MakeTestDraft(bundle)->draft);
  std::ofstream(store_.BundleFolder(Task::kBnac, version) / "golden.jsonl", std::ios::app)
      << "{}\n";
  store_.Promote(Task::kBnac, version);
  EXPECT_TRUE(
      Eventually([&] { return Get("/v3/models").body.find("golden.jsonl") != std::string::npos; }));
  EXPECT_EQ(Get("/readyz").status, 200) << "the old model serves";
  EXPECT_EQ(Post("/v1/bnac/single", kGreylisting).body, R"({"class":"GRAYLISTING"})");
}

TEST_F(ServeTest, SighupTriesAFailedBundleAgainAtOnce) {
  PublishAll();
  const int version = Publish(Task::kBnac, "SPF");
  const auto model = store_.BundleFolder(Task::kBnac, version) / "tokenizer.model";
  const std::string good = ReadFile(model);
  WriteFileDurably(model, "broken");
  Start();
  EXPECT_EQ(Get("/readyz").status, 503);
  WriteFileDurably(model, good);
  server_->Signal(SIGHUP);
  EXPECT_TRUE(EventuallyAnswers(R"({"class":"SPF"})"));
}

TEST_F(ServeTest, SigtermAnswersWhatIsInFlightAndExitsWith0) {
  PublishAll();
  Start({"--drain-grace", "60"});
  HttpClient idle(server_->port());
  ASSERT_EQ(idle.Ask(GetRequest("/livez")).status, 200);
  const std::string request = PostRequest("/v1/bnac/single", kGreylisting);
  HttpClient slow(server_->port());
  slow.Send(request.substr(0, request.size() - 10));
  HttpClient probe(server_->port());
  ASSERT_EQ(probe.Ask(GetRequest("/livez")).status, 200);
  server_->Signal(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return Get("/readyz").status == 503; })) << "load balancers see it";
  EXPECT_EQ(Post("/v1/bnac/single", kGreylisting).status, 200) << "and are served until they act";
  server_->Signal(SIGTERM);  // ends the grace
  EXPECT_TRUE(idle.ServerCloses()) << "an idle connection is closed";
  EXPECT_THROW(HttpClient{server_->port()}, std::runtime_error) << "nobody new is let in";
  slow.Send(request.substr(request.size() - 10));
  const Reply reply = slow.ReadReply();
  EXPECT_EQ(reply.body, R"({"class":"GRAYLISTING"})");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_F(ServeTest, ADrainEndsAtItsDeadline) {
  Start({"--drain-timeout", "0.3"});
  HttpClient stuck(server_->port());
  stuck.Send("POST /v1/bnac HTTP/1.1\r\n");
  ASSERT_EQ(Get("/livez").status, 200);
  server_->Signal(SIGINT);
  EXPECT_EQ(server_->Wait(), 1);
}

TEST_F(ServeTest, StartsAgainAfterAKill) {
  PublishAll();
  Start();
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  HttpClient client(server_->port());
  client.Send("GET / HT");
  server_->Signal(SIGKILL);
  EXPECT_EQ(server_->Wait(), 128 + SIGKILL);
  server_.emplace(std::vector<std::string>{"--listen", address, "--models", folder_.path(),
                                           "--log-level", "error"});
  EXPECT_EQ(server_->first_line(), "listening on " + address);
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(ServeTest, AsksForTheKey) {
  PublishAll();
  Start({"--api-key", "k"});
  EXPECT_EQ(Post("/v1/bnac/single", kGreylisting).status, 401);
  HttpClient client(server_->port());
  EXPECT_EQ(client.Ask(PostRequest("/v1/bnac/single", kGreylisting, "X-API-Key: k\r\n")).status,
            200);
}

TEST_F(ServeTest, HoldsItsLimits) {
  PublishAll();
  Start({"--max-body", "100", "--max-batch", "2"});
  EXPECT_EQ(Post("/v1/bnac", R"({"messages":["a","b","c"]})").status, 413);
  EXPECT_EQ(Post("/v1/bnac", std::string(101, ' ')).status, 413);
}

TEST_F(ServeTest, RefusesToStartOnBadOptionsAlone) {
  EXPECT_EQ(ServerProcess({"--nonsense"}).Wait(), 2);
  EXPECT_EQ(ServerProcess({"--models", "m", "--listen", "nonsense"}).Wait(), 2);
  Start();
  EXPECT_EQ(
      ServerProcess({"--models", "m", "--listen", "127.0.0.1:" + std::to_string(server_->port())})
          .Wait(),
      1);
}

}  // namespace
}  // namespace rebound
