// Mixed load while the models are replaced every second: no request fails, no answer mixes two
// models or comes from a cache of another, and memory stays flat.
//
// REBOUND_MIXED_SECONDS: how long, 30 otherwise.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/functional/serve/telling_models.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Tally {
  std::atomic<uint64_t> answered{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> mixed{0};
  std::mutex mutex;
  std::string first_problem;

  void Tell(std::atomic<uint64_t>* what, const std::string& problem) {
    ++*what;
    const std::lock_guard lock(mutex);
    if (first_problem.empty()) first_problem = problem;
  }
};

// One client: keeps its connection for a while, asks of everything.
class Client {
 public:
  Client(uint16_t port, unsigned seed, Tally* tally) : port_(port), random_(seed), tally_(tally) {}

  void Run(Clock::time_point end) {
    while (Clock::now() < end) {
      HttpClient connection(port_);
      for (int i = 0; i < 200 && Clock::now() < end; ++i) AskOnce(&connection);
    }
  }

 private:
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  // Of a few thousand, so that some come from the cache.
  std::string Text() { return "\"550 text " + std::to_string(Below(3000)) + " of the load\""; }
  std::string Batch(int count) {
    std::string body = R"({"messages":[)";
    for (int i = 0; i < count; ++i) body += (i == 0 ? "" : ",") + Text();
    return body + "]}";
  }

  Reply Ask(HttpClient* connection, const std::string& request) {
    Reply reply = connection->Ask(request);
    if (reply.status == 200) {
      ++tally_->answered;
    } else {
      tally_->Tell(&tally_->failed, std::to_string(reply.status) + " " + reply.body + " to " +
                                        request.substr(0, request.find('\r')));
    }
    return reply;
  }

  void AskOnce(HttpClient* connection) {
    const int what = Below(100);
    if (what < 35) {
      const std::string path = Below(2) == 0 ? "/v1/bnac/single" : "/v2/bnac?bypass_cache=1";
      Ask(connection, PostRequest(path, "{\"message\":" + Text() + "}"));
    } else if (what < 60) {
      const char* path = Below(2) == 0 ? "/v2/bnac" : "/v1/backoff";
      const Reply reply = Ask(connection, PostRequest(path, Batch(1 + Below(30))));
      if (reply.status == 200) ExpectOneClass(reply.body);
    } else if (what < 85) {
      const Reply reply = Ask(connection, PostRequest("/v3/classify", Batch(1 + Below(10))));
      if (reply.status == 200) ExpectTheModelsNamed(reply.body);
    } else if (what < 90) {
      Ask(connection, PostRequest("/api/classify", Batch(2)));
    } else if (what < 95) {
      Ask(connection, PostRequest("/normalise", Batch(5)));
    } else {
      constexpr std::array<const char*, 5> kPages = {"/readyz", "/v3/models", "/metrics",
                                                     "/v1/cache/stats", "/openapi.json"};
      Ask(connection, GetRequest(kPages[static_cast<size_t>(Below(5))]));
    }
  }

  void ExpectOneClass(const std::string& body) {
    const JsonDocument answers = ParseJson(body);
    for (const JsonValue& answer : answers.GetArray()) {
      if (GetJsonString(answer, "class") != GetJsonString(answers[0], "class")) {
        return tally_->Tell(&tally_->mixed, body);
      }
    }
  }
  // Every class must be of the version that the answer says it is of.
  void ExpectTheModelsNamed(const std::string& body) {
    if (!test::IsOfTheModelsNamed(body)) tally_->Tell(&tally_->mixed, body);
  }

  const uint16_t port_;
  std::mt19937 random_;
  Tally* const tally_;
};

test::MetricsPage Metrics(uint16_t port) {
  return test::ReadMetricsPage(HttpClient(port).Ask(GetRequest("/metrics")).body);
}

TEST(MixedLoad, NothingFailsNothingMixesMemoryStaysFlat) {
  const char* wish = std::getenv("REBOUND_MIXED_SECONDS");
  const int seconds = wish == nullptr ? 30 : std::max(5, std::atoi(wish));
  const TempFolder folder;
  BundleStore store(folder.path());
  for (const Task task : kTasks) {
    for (int version = 1; version <= test::kTellingVersions; ++version) {
      ASSERT_EQ(test::PublishTestBundle(&store, test::TellingBundle(task, version)), version);
    }
  }
  ServerProcess server({"--listen", "127.0.0.1:0", "--models", folder.path(), "--threads", "2",
                        "--cache-size", "200000", "--log-level", "error"});
  ASSERT_NE(server.port(), 0);

  Tally tally;
  const auto start = Clock::now();
  const auto end = start + std::chrono::seconds(seconds);
  std::vector<std::thread> clients;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    clients.emplace_back([&, seed] {
      try {
        Client(server.port(), seed, &tally).Run(end);
      } catch (const std::exception& e) {
        tally.Tell(&tally.failed, e.what());
      }
    });
  }
  // Every second another version of every task; memory is first read when all is warm.
  double warm = 0;
  int promotions = 0;
  for (int second = 1; second < seconds; ++second) {
    std::this_thread::sleep_until(start + std::chrono::seconds(second));
    const int version =
        test::kTellingVersions - second % test::kTellingVersions;  // the last serves at the start
    for (const Task task : kTasks) store.Promote(task, version);
    ++promotions;
    if (second == seconds / 3) warm = Metrics(server.port()).Value("process_resident_memory_bytes");
  }
  for (std::thread& client : clients) client.join();

  const test::MetricsPage page = Metrics(server.port());
  const double resident = page.Value("process_resident_memory_bytes");
  std::printf(
      "mixed load, %d s: %llu answered, %llu failed, %llu mixed, %d promotions; resident "
      "memory %.1f MB after a third, %.1f MB at the end\n",
      seconds, static_cast<unsigned long long>(tally.answered),
      static_cast<unsigned long long>(tally.failed), static_cast<unsigned long long>(tally.mixed),
      promotions, warm / 1e6, resident / 1e6);
  EXPECT_EQ(tally.failed, 0U) << tally.first_problem;
  EXPECT_EQ(tally.mixed, 0U) << tally.first_problem;
  EXPECT_GE(tally.answered, kSanitized ? 500U : 5000U);
  for (const Task task : kTasks) {
    const auto reloads = [&](const char* outcome) {
      return page.Value("rebound_model_reloads_total",
                        {{"task", std::string(TaskName(task))}, {"outcome", outcome}});
    };
    EXPECT_EQ(reloads("failed"), 0) << TaskName(task);
    EXPECT_GE(reloads("loaded"), promotions / 2) << TaskName(task);  // a busy machine may skip some
  }
  // A quarantine of freed memory grows under sanitizers, which look for leaks themselves.
  EXPECT_LE(resident, kSanitized ? 1e12 : warm + 4e6);
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

}  // namespace
}  // namespace rebound
