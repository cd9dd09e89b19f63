#include "serve/metrics.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <thread>

#include "serve/key_file.h"
#include "serve/metrics_sources.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"

namespace rebound {
namespace {

using test::MetricsPage;
using test::ReadMetricsPage;
using test::Served;
using namespace std::chrono_literals;

// ---- the reader of pages, which all other tests lean on
// --------------------------------------------

std::string RefusalOf(const std::string& page) {
  try {
    ReadMetricsPage(page);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

TEST(MetricsPageTest, ReadsLabelsEscapesAndNumbers) {
  const MetricsPage page = ReadMetricsPage(
      "# HELP a_total A \\n count.\n# TYPE a_total counter\na_total{x=\"q\\\"\\\\\\n\",y=\"\"} "
      "3e2\n"
      "# HELP g G.\n# TYPE g gauge\ng -1.5\n");
  EXPECT_EQ(page.Value("a_total", {{"x", "q\"\\\n"}, {"y", ""}}), 300);
  EXPECT_EQ(page.Value("g"), -1.5);
  EXPECT_TRUE(page.Has("g"));
  EXPECT_FALSE(page.Has("b"));
}

TEST(MetricsPageTest, RefusesWhatPrometheusWould) {
  const std::string head = "# HELP a_total A.\n# TYPE a_total counter\n";
  EXPECT_EQ(RefusalOf(head + "a_total 1\n"), "");
  EXPECT_NE(RefusalOf(head + "a_total 1"), "");                      // no line end
  EXPECT_NE(RefusalOf(head + "a_total 1\na_total 2\n"), "");         // a series twice
  EXPECT_NE(RefusalOf(head + "b_total 1\n"), "");                    // another family's
  EXPECT_NE(RefusalOf(head + "a_total{x=\"\n\"} 1\n"), "");          // a raw line end
  EXPECT_NE(RefusalOf(head + "a_total{x=\"\\t\"} 1\n"), "");         // an unknown escape
  EXPECT_NE(RefusalOf(head + "a_total{x=\"1\",x=\"2\"} 1\n"), "");   // a label twice
  EXPECT_NE(RefusalOf(head + "a_total one\n"), "");                  // no number
  EXPECT_NE(RefusalOf(head + "a_total -1\n"), "");                   // a counter below 0
  EXPECT_NE(RefusalOf(head + head), "");                             // a family twice
  EXPECT_NE(RefusalOf("# TYPE a_total counter\na_total 1\n"), "");   // no HELP
  EXPECT_NE(RefusalOf("# HELP a A.\n# TYPE a counter\na 1\n"), "");  // not _total
  const std::string histogram = "# HELP h H.\n# TYPE h histogram\n";
  const std::string end = "h_sum 1\nh_count 2\n";
  EXPECT_EQ(RefusalOf(histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n" + end), "");
  EXPECT_NE(RefusalOf(histogram + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\n" + end), "");
  EXPECT_NE(RefusalOf(histogram + "h_bucket{le=\"1\"} 2\n" + end), "");
  EXPECT_NE(RefusalOf(histogram + "h_bucket{le=\"+Inf\"} 3\n" + end), "");
}

// ---- the text ----------------------------------------------------------------------------------

TEST(MetricsTextTest, EscapesWhatLabelsMayHold) {
  std::string out;
  MetricsText text(&out);
  text.Begin("a_total", MetricKind::kCounter, "back\\slash, \"quotes\"\nand lines");
  text.Sample({{"x", "a\"b\\c\nd"}}, uint64_t{7});
  EXPECT_EQ(out,
            "# HELP a_total back\\\\slash, \"quotes\"\\nand lines\n# TYPE a_total counter\n"
            "a_total{x=\"a\\\"b\\\\c\\nd\"} 7\n");
  EXPECT_EQ(ReadMetricsPage(out).Value("a_total", {{"x", "a\"b\\c\nd"}}), 7);
}

TEST(MetricsTextTest, WritesNumbersThatReadBack) {
  std::string out;
  MetricsText text(&out);
  text.Gauge("a", "A.", 0.1);
  text.Gauge("b", "B.", 1e300);
  text.Gauge("c", "C.", std::numeric_limits<double>::infinity());
  text.Counter("d_total", "D.", std::numeric_limits<uint64_t>::max());
  EXPECT_NE(out.find("\na 0.1\n"), std::string::npos);
  EXPECT_NE(out.find("\nc +Inf\n"), std::string::npos);
  EXPECT_NE(out.find("\nd_total 18446744073709551615\n"), std::string::npos);
  EXPECT_EQ(ReadMetricsPage(out).Value("b"), 1e300);
}

// ---- counting ----------------------------------------------------------------------------------

TEST(CounterTableTest, LosesNothingBetweenThreads) {
  CounterTable table(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 24; ++i) {  // more than shards
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) table.Add(static_cast<size_t>(n % 3), 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table.Sum(0), 24U * 334 * 2);
  EXPECT_EQ(table.Sum(1), 24U * 333 * 2);
  EXPECT_EQ(table.Sum(2), 24U * 333 * 2);
}

Router TwoRoutes() {
  Router router;
  router.Add({kGet, "/a", Scope::kOpen, {}});
  router.Add({kPost, "/a", Scope::kOpen, {}});
  router.Add({kPost, "/b/{name}", Scope::kOpen, {}});
  return router;
}

TEST(MetricsTest, CountsByPatternAndStatus) {
  Router router = TwoRoutes();
  Metrics metrics(&router);
  metrics.CountRequest(&router.routes()[0], 200, 60us);
  metrics.CountRequest(&router.routes()[1], 200, 60us);
  metrics.CountRequest(&router.routes()[2], 429, 60us);
  metrics.CountRequest(nullptr, 404, 60us);
  metrics.CountRequest(&router.routes()[2], 299, 60us);
  const MetricsPage page = ReadMetricsPage(metrics.Page());
  const auto count = [&](const char* route, const char* code) {
    return page.Value("rebound_requests_total", {{"route", route}, {"code", code}});
  };
  EXPECT_EQ(count("/a", "200"), 2);  // both methods
  EXPECT_EQ(count("/b/{name}", "429"), 1);
  EXPECT_EQ(count("/b/{name}", "other"), 1);
  EXPECT_EQ(count("/b/{name}", "200"), 0);  // there from the start
  EXPECT_EQ(count("none", "404"), 1);
  EXPECT_EQ(count("none", "200"), -1);
  EXPECT_EQ(page.Value("rebound_rate_limited_total"), 1);
}

TEST(MetricsTest, PutsDurationsIntoBucketsFrom50Microseconds) {
  EXPECT_EQ(Metrics::Buckets().front(), 50'000);
  Router router = TwoRoutes();
  Metrics metrics(&router);
  const Route* route = &router.routes()[0];
  for (const auto taken : {0ns, 50'000ns, 50'001ns, 1'000'000ns, 20'000'000'000ns}) {
    metrics.CountRequest(route, 200, taken);
  }
  metrics.CountRequest(route, 200, -1ns);  // a clock that stepped back
  const MetricsPage page = ReadMetricsPage(metrics.Page());
  const auto bucket = [&](const char* le) {
    return page.Value("rebound_request_duration_seconds_bucket", {{"le", le}});
  };
  EXPECT_EQ(bucket("5e-05"), 3);
  EXPECT_EQ(bucket("0.0001"), 4);
  EXPECT_EQ(bucket("0.001"), 5);
  EXPECT_EQ(bucket("10"), 5);
  EXPECT_EQ(bucket("+Inf"), 6);
  EXPECT_NEAR(page.Value("rebound_request_duration_seconds_sum"), 20.001100001, 1e-9);
  EXPECT_EQ(page.Value("rebound_route_duration_seconds_count", {{"route", "/a"}}), 6);
  EXPECT_EQ(page.Value("rebound_route_duration_seconds_count", {{"route", "/b/{name}"}}), -1);
}

// ---- a real Api --------------------------------------------------------------------------------

class MetricsApiTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.5;
      test::PublishTestBundle(&store_, bundle);
    }
  }
  void Start(const ApiOptions& api = {}) {
    Served::Options options;
    options.models = folder_.path();
    options.api = api;
    served_.emplace(options);
  }
  MetricsPage Page() { return ReadMetricsPage(served_->Ask("GET", "/metrics").body); }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

TEST_F(MetricsApiTest, HasTheNamesOfTheContract) {
  Start();
  const Response response = served_->Ask("GET", "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  const MetricsPage page = ReadMetricsPage(response.body);
  for (const char* name :
       {"rebound_requests_total", "rebound_request_duration_seconds_bucket",
        "rebound_predictions_total", "rebound_cache_hits_total", "rebound_cache_misses_total",
        "rebound_cache_evictions_total", "rebound_model_info", "rebound_model_reloads_total",
        "rebound_low_confidence_total"}) {
    EXPECT_TRUE(page.Has(name)) << name;
  }
}

TEST_F(MetricsApiTest, TellsTasksClassesAndSources) {
  Start();
  served_->Ask("POST", "/v2/bnac",
               R"({"messages":["451 greylisting","451 greylisting","550 5.1.1 zzz"]})");
  const MetricsPage page = Page();
  const auto predictions = [&](const char* name, const char* source) {
    return page.Value("rebound_predictions_total",
                      {{"task", "bnac"}, {"class", name}, {"source", source}});
  };
  EXPECT_EQ(predictions("GRAYLISTING", "model"), 2);
  EXPECT_EQ(predictions("RECIPIENT_NOT_FOUND", "status_code"), 1);
  EXPECT_EQ(page.Value("rebound_low_confidence_total", {{"task", "bnac"}}), 1);
  EXPECT_EQ(page.Value("rebound_low_confidence_total", {{"task", "action"}}), 0);
  EXPECT_EQ(page.Value("rebound_cache_hits_total"), 1);
  EXPECT_EQ(page.Value("rebound_cache_misses_total"), 2);
}

TEST_F(MetricsApiTest, CountsWhatEveryRouteThatClassifiesAnswers) {
  Start();
  const std::string body = R"({"message":"451 greylisting"})";
  for (const char* route : {"/v3/classify", "/v1/backoff", "/api/classify"}) {
    ASSERT_EQ(served_->Ask("POST", route, body).status, 200) << route;
  }
  const MetricsPage page = Page();
  const auto predictions = [&](const char* task, const char* name) {
    return page.Value("rebound_predictions_total",
                      {{"task", task}, {"class", name}, {"source", "model"}});
  };
  EXPECT_EQ(predictions("bnac", "GRAYLISTING"), 1);
  EXPECT_EQ(predictions("backoff", "GRAYLISTING"), 2);
  EXPECT_EQ(predictions("action", "greylisting"), 2);
}

TEST_F(MetricsApiTest, NeverShowsAPathOrATextOfAClient) {
  Start();
  served_->Ask("GET", "/secret-path?secret-query=1");
  served_->Ask("POST", "/v3/models/secret-task/promote", R"({"version":1})");
  served_->Ask("POST", "/v1/bnac", R"({"message":"secret-text"})", {{"x-request-id", "secret-id"}});
  served_->Ask("secret-method", "/v1/bnac");
  const std::string page = served_->Ask("GET", "/metrics").body;
  EXPECT_EQ(page.find("secret"), std::string::npos);
  const MetricsPage read = ReadMetricsPage(page);
  EXPECT_EQ(read.Value("rebound_requests_total", {{"route", "none"}, {"code", "404"}}), 1);
  EXPECT_EQ(read.Value("rebound_requests_total", {{"route", "none"}, {"code", "405"}}), 1);
  EXPECT_EQ(read.Value("rebound_requests_total",
                       {{"route", "/v3/models/{task}/promote"}, {"code", "404"}}),
            1);
}

TEST_F(MetricsApiTest, TellsWhichModelServesAndWhichReloadFailed) {
  Start();
  test::TestBundle bundle;
  bundle.variant = 1;
  const int version = test::PublishTestBundle(&store_, bundle);
  std::ofstream(store_.BundleFolder(Task::kBnac, version) / "weights.safetensors") << "broken";
  served_->reloader().LookNow(true);
  const MetricsPage page = Page();
  const auto reloads = [&](const char* task, const char* outcome) {
    return page.Value("rebound_model_reloads_total", {{"task", task}, {"outcome", outcome}});
  };
  EXPECT_EQ(reloads("bnac", "loaded"), 1);
  EXPECT_EQ(reloads("bnac", "failed"), 1);
  EXPECT_EQ(reloads("action", "failed"), 0);
  EXPECT_EQ(page.Value("rebound_model_stale", {{"task", "bnac"}}), 1);
  EXPECT_EQ(page.Value("rebound_model_serving", {{"task", "bnac"}}), 1);
  const std::string hash = served_->engine().Take().Get(Task::kBnac)->hash();
  EXPECT_EQ(page.Value("rebound_model_info", {{"task", "bnac"}, {"version", "1"}, {"hash", hash}}),
            1);
}

TEST_F(MetricsApiTest, AsksForTheMetricsKeyWhereThereIsOne) {
  ApiOptions options;
  options.gate.keys.api_key = DigestOfKey("classify-key");
  Start(options);
  EXPECT_EQ(served_->Ask("GET", "/metrics").status, 200);  // other keys do not close it
  options.gate.keys.metrics_key = DigestOfKey("metrics-key");
  Start(options);
  EXPECT_EQ(served_->Ask("GET", "/metrics").status, 401);
  EXPECT_EQ(served_->Ask("GET", "/metrics", "", {{"authorization", "Bearer metrics-key"}}).status,
            200);
}

TEST_F(MetricsApiTest, CountsExactlyUnderThreads) {
  Start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        served_->Ask("POST", "/v1/bnac/single", R"({"message":"greylisting"})");
        if (n % 50 == 0) served_->Ask("GET", "/metrics");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const MetricsPage page = Page();
  EXPECT_EQ(page.Value("rebound_requests_total", {{"route", "/v1/bnac/single"}, {"code", "200"}}),
            800);
  EXPECT_EQ(page.Value("rebound_predictions_total",
                       {{"task", "bnac"}, {"class", "GRAYLISTING"}, {"source", "model"}}),
            800);
}

TEST(MetricsSourcesTest, TellsOfTheProcess) {
  std::string out;
  MetricsText text(&out);
  WriteProcessMetrics(&text);
  WriteBuildMetrics("1.2.3", &text);
  DoorStats stats;
  stats.shed = 3;
  stats.certificate_ends = std::chrono::system_clock::time_point(1000s);
  WriteDoorMetrics(stats, &text);
  const MetricsPage page = ReadMetricsPage(out);
  EXPECT_GT(page.Value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(page.Value("process_open_fds"), 2);
  EXPECT_GE(page.Value("process_cpu_seconds_total"), 0);
  EXPECT_GE(page.Value("process_threads"), 1);
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  EXPECT_NEAR(page.Value("process_start_time_seconds") + page.Value("rebound_uptime_seconds"),
              now.count(), 5);
  EXPECT_EQ(page.Value("rebound_build_info", {{"version", "1.2.3"}}), 1);
  EXPECT_EQ(page.Value("rebound_shed_requests_total"), 3);
  EXPECT_EQ(page.Value("rebound_tls_certificate_expiry_timestamp_seconds"), 1000);
}

}  // namespace
}  // namespace rebound
