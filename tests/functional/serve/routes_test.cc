// Policies and models that change under a running server, over real sockets.
#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

class RoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Task task : kTasks) Publish(task);
  }
  int Publish(Task task, std::string always = "") {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.always = std::move(always);
    return test::PublishTestBundle(&store_, bundle);
  }
  void WritePolicy(const std::string& action) {
    WriteFileDurably(policy_, "GRAYLISTING: {fields: [jobid], actions: [" + action + "]}\n");
  }
  ServerProcess& Start() {
    server_.emplace(std::vector<std::string>{"--listen", "127.0.0.1:0", "--models", folder_.path(),
                                             "--threads", "2", "--log-level", "error",
                                             "--backoff-policy", policy_});
    return *server_;
  }
  Reply Post(const std::string& path, const std::string& body) {
    return HttpClient(server_->port()).Ask(PostRequest(path, body));
  }
  Reply Get(const std::string& path) { return HttpClient(server_->port()).Ask(GetRequest(path)); }
  bool EventuallyAdvises(const std::string& action) {
    const std::string wanted =
        R"([{"class":"GRAYLISTING","fields":["jobid"],"actions":[")" + action + R"("]}])";
    for (int i = 0; i < 2000; ++i) {
      if (Post("/v1/backoff", R"({"message":"greylisting"})").body == wanted) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  TempFolder folder_;
  TempFolder policies_;
  std::filesystem::path policy_ = policies_.path() / "policy.yaml";
  BundleStore store_{folder_.path()};
  std::optional<ServerProcess> server_;
};

TEST_F(RoutesTest, AChangedPolicyIsTakenOverByItselfAndByASignal) {
  WritePolicy("rate");
  ServerProcess& server = Start();
  ASSERT_TRUE(EventuallyAdvises("rate"));
  WritePolicy("suspend");
  EXPECT_TRUE(EventuallyAdvises("suspend")) << "by itself";
  WritePolicy("sleep");
  server.Signal(SIGHUP);
  WritePolicy("concurrency");
  server.Signal(SIGHUP);
  EXPECT_TRUE(EventuallyAdvises("concurrency")) << "a refused one between them did no harm";
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(RoutesTest, APolicyThatIsRefusedAtTheStartEndsTheServer) {
  WritePolicy("sleep");
  ServerProcess& server = Start();
  EXPECT_EQ(server.port(), 0);
  EXPECT_EQ(server.Wait(), 2);
}

TEST_F(RoutesTest, AModelIsPromotedAndRolledBackAndTakenAwayWhileOthersAreAnswered) {
  WritePolicy("rate");
  const int next = Publish(Task::kBnac, "SPF");
  store_.Promote(Task::kBnac, 1);
  ServerProcess& server = Start();
  const auto promote = [&](int version) {
    const std::string body = R"({"version":)" + std::to_string(version) + "}";
    // Admin is for this machine's own clients, who call it by its name.
    return HttpClient(server_->port())
        .Ask("POST /v3/models/bnac/promote HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body)
        .status;
  };
  const auto answer = [&] { return Post("/v1/bnac/single", R"({"message":"virus"})").body; };
  EXPECT_EQ(answer(), R"({"class":"VIRUS"})");
  EXPECT_EQ(promote(next), 200);
  EXPECT_EQ(answer(), R"({"class":"SPF"})");
  EXPECT_EQ(promote(1), 200);
  EXPECT_EQ(answer(), R"({"class":"VIRUS"})");
  EXPECT_EQ(promote(99), 404);
  EXPECT_EQ(Get("/api/model?task=bnac").status, 200);
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(RoutesTest, SlowAndQuickRequestsOfOneConnectionAreAnsweredInOrder) {
  WritePolicy("rate");
  Start();
  HttpClient client(server_->port());
  client.Send(GetRequest("/api/model") + PostRequest("/v1/bnac/single", R"({"message":"virus"})") +
              GetRequest("/api/labels"));
  EXPECT_EQ(client.ReadReply().body.substr(0, 2), "\x1F\x8B");
  EXPECT_EQ(client.ReadReply().body, R"({"class":"VIRUS"})");
  EXPECT_EQ(client.ReadReply().body.substr(0, 2), "[\"");
}

}  // namespace
}  // namespace rebound
