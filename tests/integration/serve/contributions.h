// A server with a label store that tests start, ask, stop and break. Used by this folder alone.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "datasource/postgres.h"
#include "serve/key_file.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/support/postgres.h"

namespace rebound::test {

using Clock = std::chrono::steady_clock;

class ContributionsTest : public testing::Test {
 protected:
  ContributionsTest() : uri_(SharedCluster().NewStore()) {
    BundleStore store(models_.path());
    for (const Task task : kTasks) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    WriteFileDurably(folder_.path() / "keys", "jo contribute " + KeyField("jo-key") +
                                                  "\nal contribute " + KeyField("al-key") +
                                                  "\nro admin,classify " + KeyField("ro-key") +
                                                  "\nrita admin " + KeyField("rita-key") + "\n");
  }

  Served& Start(int64_t spool_bytes = 1 << 20, bool with_keys = true) {
    Served::Options options;
    options.models = models_.path();
    options.api.contributions.emplace();
    options.api.contributions->store = {uri_, submit_limit_};
    options.api.contributions->spool.folder = folder_.path() / "spool";
    options.api.contributions->spool.max_bytes = spool_bytes;
    if (with_keys) options.api.gate.keys.file = folder_.path() / "keys";
    served_.reset();
    served_ = std::make_unique<Served>(options);
    return *served_;
  }

  struct Answer {
    Response response;
    JsonDocument json;
    int status() const { return response.status; }
    std::string Text(const char* key) const { return std::string(GetJsonString(json, key)); }
    int64_t Int(const char* key) const { return GetJsonInt(json, key); }
  };
  Answer Ask(const std::string& key, const std::string& method, const std::string& target,
             const std::string& body = "", HeaderList headers = {}) {
    if (!key.empty()) headers.emplace_back("x-api-key", key + "-key");
    Answer answer;
    answer.response = served_->Ask(method, target, body, headers);
    if (answer.response.content_type != "application/x-ndjson") {
      answer.json = ParseJson(answer.response.body);
    }
    return answer;
  }
  Answer Propose(const std::string& text, const std::string& label = "user_unknown",
                 HeaderList headers = {}, const std::string& key = "jo") {
    std::string body;
    JsonWriter(&body).Object(
        [&](JsonWriter& w) { w.Key("message").String(text).Key("label").String(label); });
    return Ask(key, "POST", "/api/proposals", body, std::move(headers));
  }
  // Jo's, with its number.
  int64_t Proposed(const std::string& text, const std::string& label = "user_unknown") {
    return Propose(text, label).Int("id");
  }
  // The path of one proposal for reviewers; `more` behind it.
  static std::string Path(int64_t id, const std::string& more = "") {
    return "/admin/api/proposals/" + std::to_string(id) + more;
  }
  // The status of the proposal after a decision, or "409: what is wrong".
  std::string Decide(const std::string& reviewer, int64_t id, const std::string& body) {
    const Answer answer = Ask(reviewer, "PATCH", Path(id), body);
    if (answer.status() != 200)
      return std::to_string(answer.status()) + ": " + answer.Text("error");
    return std::string(GetJsonString(GetJson(answer.json, "proposal"), "status"));
  }
  std::string Status(int64_t id) { return Ask("ro", "GET", Path(id)).Text("status"); }
  int64_t Waiting() { return static_cast<int64_t>(Metric("rebound_spool_depth")); }
  double Metric(const std::string& name, const std::map<std::string, std::string>& labels = {}) {
    return ReadMetricsPage(served_->Ask("GET", "/metrics").body).Value(name, labels);
  }
  // Until nothing waits; the store must be there.
  bool EventuallyDelivered() {
    for (const auto end = Clock::now() + std::chrono::seconds(20); Clock::now() < end;) {
      if (Waiting() == 0) return true;
      std::this_thread::yield();
    }
    return false;
  }
  // The texts that a contributor sees, the oldest first.
  std::vector<std::string> Own(const std::string& key) {
    const Answer answer = Ask(key, "GET", "/api/proposals?limit=1000");
    EXPECT_EQ(answer.status(), 200) << answer.response.body;
    std::vector<std::string> texts;
    for (const JsonValue& each : GetJson(answer.json, "proposals").GetArray()) {
      texts.emplace_back(GetJsonString(each, "message_text"));
    }
    std::reverse(texts.begin(), texts.end());
    return texts;
  }
  void Sql(const std::string& statement) { PostgresConnection(uri_).ExecuteAlone(statement); }

  std::string uri_;
  // Of a server that is started from now on. Long, for machines that have much else to do; tests of
  // a store that does not answer take a short one.
  std::chrono::milliseconds submit_limit_{5000};
  TempFolder models_;
  TempFolder folder_;
  std::unique_ptr<Served> served_;
};

// Runs its body while PostgreSQL is dead.
class Outage {
 public:
  Outage() { SharedCluster().Kill(); }
  ~Outage() { SharedCluster().Start(); }
};

}  // namespace rebound::test
