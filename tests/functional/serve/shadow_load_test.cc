// The real server under load while candidates come, change, go and are promoted: nobody's answer
// differs by a byte from what it is without them, and no request fails.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

// By request, the bodies that were answered to it.
using Answers = std::map<std::string, std::set<std::string>>;

std::vector<std::string> Requests() {
  const std::string texts =
      R"(["550 5.1.1 user unknown","451 4.7.1 greylisting","450 4.2.2 zebra","554 spamhaus"])";
  std::vector<std::string> requests;
  for (const char* path :
       {"/v2/bnac", "/v2/bnac?bypass_cache=1", "/v1/backoff", "/v3/classify", "/api/classify"}) {
    requests.push_back(PostRequest(path, R"({"messages":)" + texts + "}"));
    requests.push_back(PostRequest(path, R"({"message":"550 5.1.1 user unknown"})"));
  }
  return requests;
}

class ShadowLoad : public testing::Test {
 protected:
  ShadowLoad() {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.6;
      test::PublishTestBundle(&store_, bundle);
      bundle.variant = 1;
      bundle.fallback_threshold = 0;  // what the codes decide now is decided otherwise
      test::PublishTestBundle(&store_, bundle);
      bundle.always = TaskLabels(task)[2];
      test::PublishTestBundle(&store_, bundle);
      store_.Promote(task, 1);
    }
    server_.emplace(std::vector<std::string>{"--listen", "127.0.0.1:0", "--models", folder_.path(),
                                             "--threads", "2", "--shadow-sample", "1",
                                             "--log-level", "error"});
  }

  // One after the other, by one client.
  Answers AnswersNow() {
    Answers answers;
    HttpClient client(server_->port());
    for (const std::string& request : Requests()) {
      const Reply reply = client.Ask(request);
      EXPECT_EQ(reply.status, 200) << request << reply.body;
      answers[request].insert(reply.body);
    }
    return answers;
  }
  // Asks without a pause until `work` is done; every answer must be 200.
  template <class Work>
  Answers AnswersWhile(const Work& work) {
    std::atomic<bool> done{false};
    std::mutex mutex;
    Answers all;
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back([&] {
        Answers own;
        std::string problem;
        try {
          while (!done) {
            HttpClient client(server_->port());
            for (int round = 0; round < 10; ++round) {
              for (const std::string& request : Requests()) {
                const Reply reply = client.Ask(request);
                if (reply.status != 200) problem = std::to_string(reply.status) + reply.body;
                own[request].insert(reply.body);
              }
            }
          }
        } catch (const std::exception& e) {
          problem = e.what();
        }
        const std::lock_guard lock(mutex);
        EXPECT_EQ(problem, "");
        for (auto& [request, bodies] : own) all[request].merge(bodies);
      });
    }
    work();
    done = true;
    for (std::thread& client : clients) client.join();
    return all;
  }
  // Of an administrator on the server's own machine.
  Reply Admin(const std::string& method, const std::string& target, const std::string& body = "") {
    return HttpClient(server_->port())
        .Ask(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Reply Set(Task task, int version) {
    return Admin("POST", Path(task), R"({"version":)" + std::to_string(version) + "}");
  }
  Reply End(Task task) { return Admin("DELETE", Path(task)); }
  static std::string Path(Task task) {
    return "/v3/models/" + std::string(TaskName(task)) + "/shadow";
  }
  // Until the candidate was asked for something.
  bool IsCompared(Task task) {
    for (const auto end = Clock::now() + std::chrono::seconds(60); Clock::now() < end;) {
      const Reply reply = HttpClient(server_->port()).Ask(GetRequest(Path(task)));
      if (reply.status != 200) return false;
      if (GetJsonInt(ParseJson(reply.body), "compared") > 0) return true;
    }
    return false;
  }

  const TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<ServerProcess> server_;
};

TEST_F(ShadowLoad, ChangesNoAnswerByAByteWhileItComesChangesAndGoes) {
  ASSERT_NE(server_->port(), 0);
  const Answers before = AnswersNow();
  const Answers during = AnswersWhile([&] {
    for (int round = 0; round < 3; ++round) {
      for (const Task task : kTasks) EXPECT_EQ(Set(task, 2).status, 200);
      for (const Task task : kTasks) EXPECT_TRUE(IsCompared(task)) << TaskName(task);
      EXPECT_EQ(Set(Task::kBnac, 3).status, 200);
      EXPECT_TRUE(IsCompared(Task::kBnac));
      // As rebound-labels does it, behind the server's back.
      store_.SetShadow(Task::kAction, 3);
      for (const Task task : kTasks) EXPECT_EQ(End(task).status, 200);
      EXPECT_EQ(End(Task::kBnac).status, 404);
    }
  });
  for (const auto& [request, bodies] : during) EXPECT_EQ(bodies, before.at(request)) << request;
}

TEST_F(ShadowLoad, PromotedItAnswersAndNoRequestFailsOrGetsAnythingElse) {
  ASSERT_NE(server_->port(), 0);
  const Answers before = AnswersNow();
  for (const Task task : kTasks) EXPECT_EQ(Set(task, 2).status, 200);
  const Answers during = AnswersWhile([&] {
    EXPECT_TRUE(IsCompared(Task::kBackoff));
    const Reply promoted = Admin("POST", "/v3/models/backoff/promote", R"({"version":2})");
    EXPECT_EQ(promoted.status, 200) << promoted.body;
    EXPECT_EQ(HttpClient(server_->port()).Ask(GetRequest(Path(Task::kBackoff))).status, 404);
    EXPECT_TRUE(IsCompared(Task::kBnac)) << "the others go on";
  });
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "backoff/SHADOW"));
  const Answers after = AnswersNow();
  EXPECT_TRUE(after != before);
  for (const auto& [request, bodies] : during) {
    for (const std::string& body : bodies) {
      EXPECT_TRUE(before.at(request).contains(body) || after.at(request).contains(body))
          << request << body;
    }
  }
  const auto page =
      test::ReadMetricsPage(HttpClient(server_->port()).Ask(GetRequest("/metrics")).body);
  EXPECT_GT(page.Value("rebound_shadow_compared_total", {{"task", "bnac"}}), 0);
}

}  // namespace
}  // namespace rebound
