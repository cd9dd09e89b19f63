// The real server among hostile clients: what every test of the suite asks of it.
//
// REBOUND_HOSTILE multiplies the number of rounds. After each test the server must still answer
// well, hold no descriptor of anybody who left, and exit 0, which under a sanitizer says that
// nothing leaked and nothing raced.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

inline int Rounds(int quick) {
  const char* factor = std::getenv("REBOUND_HOSTILE");
  return quick * (factor == nullptr ? 1 : std::max(1, std::atoi(factor)));
}

class HostileTest : public testing::Test {
 protected:
  HostileTest() {
    BundleStore store(folder_.path());
    for (const Task task : {Task::kBnac, Task::kBackoff}) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    // The suite itself holds both ends of thousands of connections.
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  void Start(std::vector<std::string> more = {}, const std::vector<std::string>& launcher = {}) {
    std::vector<std::string> arguments = {
        "--listen",     "127.0.0.1:0", "--models", folder_.path().string(), "--tasks",
        "bnac,backoff", "--threads",   "2",        "--log-level",           "error"};
    // Shedding has tests of its own: a sanitized server on a busy machine is slow, not overloaded.
    arguments.insert(arguments.end(), {"--max-wait", "60"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments, launcher);
    ASSERT_NE(server_->port(), 0);
    descriptors_ = Descriptors();
  }
  uint16_t port() const { return server_->port(); }

  virtual std::unique_ptr<HttpClient> Connect() const {
    return std::make_unique<HttpClient>(port());
  }
  // One honest request on a connection of its own; its answer must be its own.
  testing::AssertionResult IsServed(const std::string& id) const {
    return IsServed(*Connect(), id);
  }
  static testing::AssertionResult IsServed(HttpClient& client, const std::string& id) {
    const Reply reply = client.Ask(Honest(id));
    if (reply.status != 200) return testing::AssertionFailure() << "status " << reply.status;
    if (reply.headers.at("x-request-id") != id || reply.body != R"({"class":"VIRUS"})") {
      return testing::AssertionFailure() << id << " got the answer of another: " << reply.body;
    }
    return testing::AssertionSuccess();
  }
  static std::string Honest(const std::string& id) {
    return PostRequest("/v1/bnac/single", R"({"message":"virus"})", "X-Request-ID: " + id + "\r\n");
  }

  size_t Descriptors() const {
    size_t count = 0;
    DIR* folder = opendir(("/proc/" + std::to_string(server_->pid()) + "/fd").c_str());
    while (folder != nullptr && readdir(folder) != nullptr) ++count;
    if (folder != nullptr) closedir(folder);
    return count;
  }
  // Resident memory.
  int64_t Kilobytes() const {
    std::ifstream status("/proc/" + std::to_string(server_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmRSS:", 0) == 0) return std::atoll(line.c_str() + 6);
    }
    return 0;
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 10);
    }
    return false;
  }
  void ExpectWellAfterwards() {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsServed("afterwards-" + std::to_string(i)));
    // A worker that ticks holds two descriptors for a moment.
    EXPECT_TRUE(Eventually([&] { return Descriptors() <= descriptors_ + 4; }))
        << Descriptors() << " descriptors, " << descriptors_ << " at the start";
    server_->Signal(SIGTERM);
    EXPECT_EQ(server_->Wait(), 0);
  }

  TempFolder folder_;
  std::optional<ServerProcess> server_;
  size_t descriptors_ = 0;
};

}  // namespace rebound::test
