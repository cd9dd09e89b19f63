// What operators get: the metrics of the real server, the dashboard and the alerts of deploy/ that
// are made of them, and --check-config.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <regex>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/unit/serve/http_client.h"
#include "tests/unit/serve/tls_client.h"

namespace rebound::test {
namespace {

std::filesystem::path Deploy() {
  const char* source = std::getenv("REBOUND_SOURCE");
  return std::filesystem::path(source == nullptr ? "." : source) / "deploy";
}

// promtool's exit status; 0 where it is not installed: our own checks stand without it.
int Promtool(const std::string& arguments) {
  return std::system(
      ("if command -v promtool >/dev/null; then promtool " + arguments + " >/dev/null; fi")
          .c_str());
}

class OperationsTest : public testing::Test {
 protected:
  OperationsTest() {
    BundleStore store(folder_.path() / "models");
    for (const Task task : kTasks) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    Identity identity;
    WriteFileDurably(folder_.path() / "cert.pem", identity.CertificatePem());
    WriteFileDurably(folder_.path() / "key.pem", identity.KeyPem());
    WriteFileDurably(folder_.path() / "rules.ovr", ",22,storage exceeded\n,777,no such code\n");
    WriteFileDurably(folder_.path() / "text-rules", "label:spam_blocked XYZZY\n");
  }
  // With all that brings metrics of its own.
  std::vector<std::string> Arguments() const {
    const std::string folder = folder_.path().string() + "/";
    return {"--listen",     "127.0.0.1:0",
            "--models",     folder + "models",
            "--tls-cert",   folder + "cert.pem",
            "--tls-key",    folder + "key.pem",
            "--threads",    "2",
            "--access-log", folder + "access.log",
            "--overrides",  folder + "rules.ovr",
            "--text-rules", folder + "text-rules",
            "--log-level",  "error"};
  }
  // And with a label store, which need not be there.
  std::vector<std::string> ArgumentsWithStore() const {
    std::vector<std::string> arguments = Arguments();
    for (const char* more :
         {"--store", "postgresql:///rebound?host=/nonexistent", "--from-registry", "--spool"}) {
      arguments.emplace_back(more);
    }
    arguments.push_back(folder_.path() / "spool");
    return arguments;
  }
  // Everybody's names must be those of the page.
  void ExpectNamesOfThePage(const std::string& expression, const MetricsPage& page) {
    static const std::regex kName("(^|[^a-zA-Z0-9_:$\"])((rebound|process)_[a-z0-9_]+)");
    for (std::sregex_iterator it(expression.begin(), expression.end(), kName), end; it != end;
         ++it) {
      EXPECT_TRUE(page.Has((*it)[2])) << (*it)[2] << " of " << expression;
      names_.insert((*it)[2]);
    }
  }

  TempFolder folder_;
  std::set<std::string> names_;  // that were looked at
};

TEST_F(OperationsTest, MetricsOfTheServerAreWellFormedAndTrue) {
  ServerProcess server(Arguments());
  ASSERT_NE(server.port(), 0);
  TlsClient client(server.port());
  EXPECT_EQ(client.Ask(PostRequest("/v1/bnac", R"({"message":"greylisting"})")).status, 200);
  EXPECT_EQ(client.Ask(PostRequest("/v1/bnac", R"({"message":"storage exceeded"})")).status, 200);
  HttpClient(server.port()).Ask(std::string("\x16\x03\x01\0\x05hello", 10));
  TlsClient bad(server.port());
  EXPECT_EQ(bad.Ask("GET / HTTP/1.1\r\n\r\n").status, 400);  // no Host
  const Reply reply = client.Ask(GetRequest("/metrics"));
  ASSERT_EQ(reply.status, 200);
  const MetricsPage page = ReadMetricsPage(reply.body);
  EXPECT_EQ(page.Value("rebound_requests_total", {{"route", "/v1/bnac"}, {"code", "200"}}), 2);
  EXPECT_EQ(page.Value("rebound_predictions_total",
                       {{"task", "bnac"}, {"class", "GRAYLISTING"}, {"source", "model"}}),
            1);
  const std::map<std::string, std::string> user = {{"kind", "smtp"}, {"list", "user"}};
  EXPECT_EQ(page.Value("rebound_override_hits_total", user), 1);
  EXPECT_EQ(page.Value("rebound_override_rules", user), 1);
  EXPECT_EQ(page.Value("rebound_override_bad_lines", user), 1);
  EXPECT_EQ(page.Value("rebound_override_stale", user), 0);
  EXPECT_EQ(page.Value("rebound_text_rules"), 1);
  EXPECT_EQ(page.Value("rebound_text_rules_stale"), 0);
  EXPECT_EQ(page.Value("rebound_tls_handshakes_total"), 2);
  EXPECT_EQ(page.Value("rebound_tls_handshake_failures_total"), 1);
  EXPECT_EQ(page.Value("rebound_refused_requests_total"), 1);
  EXPECT_EQ(page.Value("rebound_shed_requests_total"), 0);
  EXPECT_GE(page.Value("rebound_open_connections"), 1);
  EXPECT_GE(page.Value("rebound_requests_in_flight"), 1);  // this one
  EXPECT_GT(page.Value("rebound_tls_certificate_expiry_timestamp_seconds"), 1.7e9);
  EXPECT_GT(page.Value("process_open_fds"), 5);
  EXPECT_LT(page.Value("rebound_uptime_seconds"), 600);
  const auto file = folder_.path() / "page";
  WriteFileDurably(file, reply.body);
  EXPECT_EQ(Promtool("check metrics < " + file.string()), 0);
}

TEST_F(OperationsTest, DashboardAndAlertsUseMetricsThatExist) {
  ServerProcess server(ArgumentsWithStore());
  ASSERT_NE(server.port(), 0);
  TlsClient client(server.port());
  ASSERT_EQ(client.Ask(PostRequest("/v1/bnac", R"({"message":"greylisting"})")).status, 200);
  const MetricsPage page = ReadMetricsPage(client.Ask(GetRequest("/metrics")).body);

  const JsonDocument dashboard = ParseJson(ReadFile(Deploy() / "grafana-dashboard.json"));
  std::set<int64_t> ids;
  for (const JsonValue& panel : GetJson(dashboard, "panels").GetArray()) {
    EXPECT_TRUE(ids.insert(GetJsonInt(panel, "id")).second);
    EXPECT_NE(GetJsonString(panel, "title"), "");
    if (GetJsonString(panel, "type") == "row") continue;
    for (const JsonValue& target : GetJson(panel, "targets").GetArray()) {
      EXPECT_EQ(GetJsonString(GetJson(target, "datasource"), "uid"), "${datasource}");
      ExpectNamesOfThePage(std::string(GetJsonString(target, "expr")), page);
    }
  }
  EXPECT_GT(ids.size(), 20U);

  const YAML::Node alerts = YAML::LoadFile(Deploy() / "prometheus-alerts.yaml");
  std::set<std::string> alert_names;
  for (const YAML::Node& rule : alerts["groups"][0]["rules"]) {
    const auto name = rule["alert"].as<std::string>();
    EXPECT_TRUE(alert_names.insert(name).second) << name;
    ExpectNamesOfThePage(rule["expr"].as<std::string>(), page);
    const auto severity = rule["labels"]["severity"].as<std::string>();
    EXPECT_TRUE(severity == "page" || severity == "ticket") << name;
    for (const char* annotation : {"summary", "description"}) {
      EXPECT_NE(rule["annotations"][annotation].as<std::string>(), "") << name;
    }
    EXPECT_TRUE(rule["for"].IsDefined()) << name;
  }
  for (const char* name :
       {"ReboundErrors", "ReboundSlow", "ReboundModelReloadFailed", "ReboundLowConfidence",
        "ReboundCertificateEnds", "ReboundCacheHitsDropped", "ReboundRulesStale", "ReboundSheds",
        "ReboundBehindRegistry", "ReboundRegistryAway", "ReboundSpoolWaits"}) {
    EXPECT_EQ(alert_names.count(name), 1U) << name;
  }
  EXPECT_EQ(Promtool("check rules " + (Deploy() / "prometheus-alerts.yaml").string()), 0);
  EXPECT_EQ(Promtool("check config --syntax-only " + (Deploy() / "prometheus.yaml").string()), 0);

  // And the other way: what the server tells of itself is shown or watched.
  for (const auto& [name, family] : page.families) {
    bool used = false;
    for (const std::string& other : names_) used = used || other.rfind(name, 0) == 0;
    const bool common = name == "process_start_time_seconds" || name == "process_threads" ||
                        name == "process_virtual_memory_bytes";
    EXPECT_TRUE(used || common) << name << " is neither on the dashboard nor in an alert";
  }
}

TEST_F(OperationsTest, TheScrapeExampleIsOfThisServer) {
  const YAML::Node config = YAML::LoadFile(Deploy() / "prometheus.yaml");
  EXPECT_EQ(config["scrape_configs"][0]["job_name"].as<std::string>(), "rebound");
  EXPECT_EQ(config["scrape_configs"][0]["metrics_path"].as<std::string>(), "/metrics");
}

TEST_F(OperationsTest, CheckConfigExits0OnlyWhereTheServerWouldServe) {
  auto arguments = Arguments();
  arguments.push_back("--check-config");
  EXPECT_EQ(ServerProcess(arguments).Wait(), 1) << "a line of the rules is none";
  WriteFileDurably(folder_.path() / "rules.ovr", ",22,storage exceeded\n");
  EXPECT_EQ(ServerProcess(arguments).Wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "access.log"));
  WriteFileDurably(folder_.path() / "key.pem", Identity().KeyPem());  // another's
  EXPECT_EQ(ServerProcess(arguments).Wait(), 1);
  EXPECT_EQ(ServerProcess({"--check-config", "--nonsense"}).Wait(), 1);
  EXPECT_EQ(ServerProcess({"--check-config", "--models", "/nonexistent"}).Wait(), 1);
}

}  // namespace
}  // namespace rebound::test
