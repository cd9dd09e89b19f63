// Contributions and their review over the API, with a real PostgreSQL that comes and goes.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "datasource/postgres.h"
#include "labelstore/model_registry.h"
#include "labelstore/proposals.h"
#include "labelstore/schema.h"
#include "serve/key_file.h"
#include "tests/api/serve/json_shape.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/support/postgres.h"

namespace rebound::test {
namespace {

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
    WriteFileDurably(folder_.path() / "keys",
                     "jo contribute " + KeyField("jo-key") + "\nal contribute " +
                         KeyField("al-key") + "\nro admin,classify " + KeyField("ro-key") + "\n");
  }

  Served& Start(int64_t spool_bytes = 1 << 20, bool with_keys = true) {
    Served::Options options;
    options.models = models_.path();
    options.api.contributions.emplace();
    options.api.contributions->store = {uri_, std::chrono::milliseconds(500)};
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
    answer.json = ParseJson(answer.response.body);
    return answer;
  }
  Answer Propose(const std::string& text, const std::string& label = "user_unknown",
                 HeaderList headers = {}, const std::string& key = "jo") {
    std::string body;
    JsonWriter(&body).Object(
        [&](JsonWriter& w) { w.Key("message").String(text).Key("label").String(label); });
    return Ask(key, "POST", "/api/proposals", body, std::move(headers));
  }
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
  // A history to go back by: version 2 of bnac after 1.
  void PromoteTwice() {
    BundleStore store(models_.path());
    ModelRegistry registry(uri_);
    registry.Adopt(Task::kBnac, store);
    TestBundle next;
    next.variant = 1;
    PublishTestBundle(&store, next);
    registry.Upload(store.BundleFolder(Task::kBnac, 2));
    registry.Promote(Task::kBnac, 2, "anna", "");
  }
  void Sql(const std::string& statement) { PostgresConnection(uri_).ExecuteAlone(statement); }

  std::string uri_;
  TempFolder models_;
  TempFolder folder_;
  std::unique_ptr<Served> served_;
};

// ---- contributing ------------------------------------------------------------------------------

TEST_F(ContributionsTest, AProposalIsMaskedStoredAndToldWithWhatTheModelSays) {
  Start();
  const Answer answer = Propose("550 5.1.1 <jane@example.org>: greylisting unknown");
  EXPECT_EQ(answer.status(), 201) << answer.response.body;
  EXPECT_GT(answer.Int("id"), 0);
  EXPECT_EQ(answer.Text("message_text"), "550 5.1.1 <__email__>: greylisting unknown");
  EXPECT_EQ(answer.Text("proposed_label"), "user_unknown");
  EXPECT_NE(answer.Text("model_label"), "");
  EXPECT_GT(GetJsonDouble(answer.json, "model_confidence"), 0.0);
  EXPECT_EQ(answer.Text("status"), "pending");
  EXPECT_EQ(answer.Text("outcome"), "inserted");
  const auto stored = OpenProposalStore(uri_)->Find(answer.Int("id"));
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->contributor, "jo");
  for (const Task task : kTasks) {
    ASSERT_TRUE(stored->model[Index(task)].has_value());
    EXPECT_EQ(stored->model[Index(task)]->version, 1);
  }
}

TEST_F(ContributionsTest, TheSameAgainIs200AndAnotherLabel201) {
  Start();
  const int64_t id = Propose("550 no").Int("id");
  const Answer again = Propose("550 no");
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.Text("outcome"), "duplicate");
  EXPECT_EQ(again.Int("id"), id);
  const Answer other = Propose("550 no", "spam_blocked");
  EXPECT_EQ(other.status(), 201);
  EXPECT_EQ(other.Text("outcome"), "relabelled");
  EXPECT_EQ(other.Int("id"), id);
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 no"}));
}

TEST_F(ContributionsTest, AnIdempotencyKeyStandsForOneRequest) {
  Start();
  const HeaderList key = {{"idempotency-key", "k-1"}};
  const Answer first = Propose("550 no", "user_unknown", key);
  EXPECT_EQ(first.status(), 201);
  const Answer again = Propose("550 no", "user_unknown", key);
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.Int("id"), first.Int("id"));
  const Answer other = Propose("551 no", "user_unknown", key);
  EXPECT_EQ(other.status(), 422);
  EXPECT_EQ(other.Text("error"), "the idempotency key 'k-1' came with another request before");
  EXPECT_EQ(Propose("551 no", "user_unknown", key, "al").status(), 201) << "another one's key";
  EXPECT_EQ(Propose("552 no", "user_unknown", {{"idempotency-key", ""}}).status(), 400);
}

TEST_F(ContributionsTest, EachSeesHisOwnAndTheAnonymousShareOneName) {
  Start();
  Propose("550 of jo");
  Propose("550 of al", "user_unknown", {}, "al");
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 of jo"}));
  EXPECT_EQ(Own("al"), std::vector<std::string>({"550 of al"}));
  EXPECT_EQ(Ask("jo", "GET", "/admin/api/proposals").status(), 403);
  Start(1 << 20, false);
  Propose("550 of someone", "user_unknown", {}, "");
  EXPECT_EQ(Own(""), std::vector<std::string>({"550 of someone"}));
  EXPECT_EQ(Ask("", "GET", "/admin/api/proposals").Int("total"), 3);
}

TEST_F(ContributionsTest, PagesAndStatusesOfOnesOwn) {
  Start();
  for (const char* word : {"one", "two", "three"}) Propose(std::string("550 ") + word);
  const Answer page = Ask("jo", "GET", "/api/proposals?page=2&limit=2&status=pending");
  EXPECT_EQ(page.Int("total"), 3);
  EXPECT_EQ(page.Int("page"), 2);
  EXPECT_EQ(page.Int("limit"), 2);
  ASSERT_EQ(GetJson(page.json, "proposals").Size(), 1U);
  EXPECT_EQ(GetJsonString(GetJson(page.json, "proposals")[0], "message_text"), "550 one");
  EXPECT_EQ(Ask("jo", "GET", "/api/proposals?status=rejected").Int("total"), 0);
  EXPECT_EQ(Ask("jo", "GET", "/api/proposals?status=untrained").Int("total"), 0);
  for (const char* bad : {"page=0", "limit=x", "status=nice", "sort=newest", "limit=1001"}) {
    EXPECT_EQ(Ask("jo", "GET", std::string("/api/proposals?") + bad).status(), 400) << bad;
  }
}

TEST_F(ContributionsTest, WhatCannotBeAcceptedIsToldInError) {
  Start();
  const auto refusal = [&](const std::string& body) {
    const Answer answer = Ask("jo", "POST", "/api/proposals", body);
    EXPECT_EQ(answer.status(), 422) << body;
    return answer.Text("error");
  };
  EXPECT_EQ(refusal(R"({"label":"user_unknown"})"), "key 'message' is missing");
  EXPECT_EQ(refusal(R"({"message":"550 no"})"), "key 'label' is missing");
  EXPECT_EQ(refusal(R"({"message":"550 no","bnac":"SPF"})"), "key 'label' is missing");
  EXPECT_EQ(refusal(R"({"message":"550 no","label":"nice"})"),
            "Invalid label: 'label' is none of its 16 labels");
  EXPECT_EQ(refusal(R"({"message":" ","label":"unknown"})"), "'message' is empty or blank");
  EXPECT_EQ(refusal(R"({"message":"x","label":"unknown","comment":7})"),
            "'comment' is not a string");
  EXPECT_EQ(Own("jo"), std::vector<std::string>());
}

TEST_F(ContributionsTest, APreviewShowsTheMaskedTextAndKeepsNothing) {
  Start();
  const Answer answer =
      Ask("jo", "POST", "/api/proposals/preview",
          R"({"message":"550 <jane@example.org> unknown","comment":"ask bob@example.net"})");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.Text("message_text"), "550 <__email__> unknown");
  EXPECT_EQ(answer.Text("comment"), "ask __email__");
  EXPECT_EQ(Own("jo"), std::vector<std::string>());
}

TEST_F(ContributionsTest, OfACsvTheGoodRowsAreStoredAndTheBadOnesTold) {
  Start();
  Propose("550 known");
  const std::string csv =
      "label,message\nuser_unknown,550 new\nnice,550 bad\nuser_unknown,550 known\n"
      "spam_blocked,550 known\nuser_unknown,\n";
  std::string body;
  JsonWriter(&body).Object([&](JsonWriter& w) { w.Key("csv").String(csv); });
  const Answer answer = Ask("jo", "POST", "/api/proposals/bulk-csv", body);
  EXPECT_EQ(answer.status(), 201);
  EXPECT_EQ(answer.response.body,
            R"({"inserted":1,"relabelled":1,"duplicates":1,"errors":[{"row":3,"error":)"
            R"("unknown label 'nice'"},{"row":6,"error":"has a blank text"}]})");
  const Answer again =
      Ask("jo", "POST", "/api/proposals/bulk-csv", "message,label\n550 new,user_unknown\n",
          {{"content-type", "text/csv; charset=utf-8"}});
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.response.body, R"({"inserted":0,"relabelled":0,"duplicates":1,"errors":[]})");
}

TEST_F(ContributionsTest, ACsvWithoutAHeaderOrAGoodRowOrWithTooManyIsRefused) {
  Start();
  const HeaderList type = {{"content-type", "text/csv"}};
  const auto send = [&](const std::string& csv) {
    return Ask("jo", "POST", "/api/proposals/bulk-csv", csv, type);
  };
  EXPECT_EQ(send("550 no,user_unknown\n").status(), 422);
  const Answer none = send("label,message\nnice,550 no\n");
  EXPECT_EQ(none.status(), 422);
  EXPECT_EQ(GetJsonInt(GetJson(none.json, "errors")[0], "index"), 2);
  std::string many = "label,message\n";
  for (int i = 0; i < 10'001; ++i) many += "unknown,550 no\n";
  EXPECT_EQ(send(many).status(), 413);
  EXPECT_EQ(Ask("jo", "POST", "/api/proposals/bulk-csv", R"({"csv":7})").status(), 422);
  EXPECT_EQ(Own("jo"), std::vector<std::string>());
}

// ---- reviewing ---------------------------------------------------------------------------------

TEST_F(ContributionsTest, AReviewerApprovesRelabelsRejectsAndTheContributorSeesIt) {
  Start();
  const auto path = [](const Answer& of) {
    return "/admin/api/proposals/" + std::to_string(of.Int("id"));
  };
  const std::string good = path(Propose("550 good")), other = path(Propose("550 other")),
                    bad = path(Propose("550 bad"));
  const Answer approved = Ask("ro", "PATCH", good, R"({"status":"approved","notes":"yes"})");
  EXPECT_EQ(approved.status(), 200) << approved.response.body;
  EXPECT_TRUE(GetJsonBool(approved.json, "ok"));
  EXPECT_EQ(GetJsonString(GetJson(approved.json, "proposal"), "decided_label"), "user_unknown");
  const Answer relabelled =
      Ask("ro", "PATCH", other, R"({"status":"approved","label":"spam_blocked","bnac":"SPF"})");
  EXPECT_EQ(GetJsonString(GetJson(relabelled.json, "proposal"), "decided_label"), "spam_blocked");
  EXPECT_EQ(GetJsonString(GetJson(relabelled.json, "proposal"), "decided_bnac"), "SPF");
  EXPECT_EQ(Ask("ro", "PATCH", bad, R"({"status":"rejected"})").status(), 200);
  const Answer again = Ask("ro", "PATCH", bad, R"({"status":"approved"})");
  EXPECT_EQ(again.status(), 409);
  EXPECT_NE(again.Text("error").find("is rejected already"), std::string::npos);
  EXPECT_EQ(Ask("jo", "GET", "/api/proposals?status=approved").Int("total"), 2);
  EXPECT_EQ(Ask("jo", "GET", "/api/proposals?status=rejected").Int("total"), 1);
  // Approved with the label that was proposed: an acceptance.
  const std::string same = path(Propose("550 same"));
  EXPECT_EQ(Ask("ro", "PATCH", same, R"({"status":"approved","label":"user_unknown"})").status(),
            200);
}

TEST_F(ContributionsTest, DecisionsThatMakeNoSenseAreRefused) {
  Start();
  const std::string path = "/admin/api/proposals/" + std::to_string(Propose("550 no").Int("id"));
  const auto status = [&](const std::string& target, const std::string& body) {
    return Ask("ro", "PATCH", target, body).status();
  };
  EXPECT_EQ(status(path, R"({"status":"pending"})"), 422);
  EXPECT_EQ(status(path, R"({})"), 422);
  EXPECT_EQ(status(path, R"({"status":"rejected","label":"unknown"})"), 422);
  EXPECT_EQ(status(path, R"({"status":"approved","label":"nice"})"), 422);
  EXPECT_EQ(status(path, R"({"status":"approved","adjudicate":"yes"})"), 422);
  EXPECT_EQ(status("/admin/api/proposals/999999", R"({"status":"approved"})"), 404);
  EXPECT_EQ(status("/admin/api/proposals/999999", R"({"status":"approved","label":"unknown"})"),
            404);
  EXPECT_EQ(status("/admin/api/proposals/x", R"({"status":"approved"})"), 404);
  EXPECT_EQ(Ask("jo", "PATCH", path, R"({"status":"approved"})").status(), 403);
  EXPECT_EQ(served_->Ask("OPTIONS", path).headers[0],
            (std::pair<std::string, std::string>("Allow", "PATCH, OPTIONS")));
}

TEST_F(ContributionsTest, ManyAreDecidedAtOnceExportedAndCounted) {
  Start();
  std::string ids;
  for (const char* word : {"one", "two", "three"}) {
    ids += (ids.empty() ? "" : ",") +
           std::to_string(Propose(std::string("550 bounce ") + word).Int("id"));
  }
  Propose("550 left", "unknown");
  const Answer bulk = Ask("ro", "POST", "/admin/api/proposals/bulk",
                          R"({"status":"approved","ids":[)" + ids + "]}");
  EXPECT_EQ(bulk.response.body, R"({"ok":true,"updated":3})");
  Answer stats = Ask("ro", "GET", "/admin/api/stats");
  EXPECT_EQ(GetJsonInt(GetJson(stats.json, "statusCounts"), "approved"), 3);
  EXPECT_EQ(GetJsonInt(GetJson(stats.json, "statusCounts"), "pending"), 1);
  EXPECT_EQ(stats.Int("pendingTraining"), 3);
  EXPECT_EQ(GetJson(stats.json, "labelDistribution").Size(), 2U);
  const Answer snapshot = Ask("ro", "POST", "/admin/api/export");
  EXPECT_EQ(snapshot.status(), 200) << snapshot.response.body;
  EXPECT_EQ(snapshot.Int("count"), 3);
  EXPECT_EQ(GetJsonString(GetJson(snapshot.json, "snapshot"), "digest").size(), 64U);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/stats").Int("pendingTraining"), 0);
  EXPECT_EQ(
      Ask("ro", "POST", "/admin/api/proposals/bulk", R"({"status":"approved","ids":[]})").status(),
      422);
}

TEST_F(ContributionsTest, TheQueueIsOrderedAsAsked) {
  Start();
  Propose("550 spamhaus", "user_unknown");
  Propose("550 user unknown", "user_unknown");
  const Answer newest = Ask("ro", "GET", "/admin/api/proposals?sort=newest");
  const Answer worst = Ask("ro", "GET", "/admin/api/proposals?sort=disagreement");
  const auto first = [](const Answer& page) {
    return std::string(GetJsonString(GetJson(page.json, "proposals")[0], "message_text"));
  };
  EXPECT_EQ(first(newest), "550 user unknown");
  EXPECT_EQ(first(worst), "550 spamhaus");
  EXPECT_EQ(worst.Text("sort"), "disagreement");
  for (const char* sort : {"uncertainty", "volume", "cost", "suspect"}) {
    EXPECT_EQ(Ask("ro", "GET", std::string("/admin/api/proposals?sort=") + sort).status(), 200);
  }
  const Answer bad = Ask("ro", "GET", "/admin/api/proposals?sort=best");
  EXPECT_EQ(bad.status(), 400);
  EXPECT_EQ(bad.Text("error"), "Invalid sort");
}

TEST_F(ContributionsTest, TheExamplesOfTheDescriptionAreAnsweredAsItShows) {
  Start(1 << 20, false);
  for (const char* word : {"one", "two", "three"}) {
    Propose(std::string("550 ") + word, "user_unknown", {}, "");
  }
  PromoteTwice();
  const JsonDocument document = ParseJson(served_->Ask("GET", "/openapi.json").body);
  size_t asked = 0;
  const auto ask = [&](const std::string& method, std::string path, const JsonValue& operation,
                       const JsonValue* body) {
    if (const size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, "1");
    if (const size_t at = path.find("{task}"); at != std::string::npos) path.replace(at, 6, "bnac");
    std::string text;
    if (body != nullptr) JsonWriter(&text).Value(*body);
    const Answer answer = Ask("", method, path, text);
    const std::string what = method + " " + path + " " + text + "\n" + answer.response.body;
    EXPECT_EQ(answer.status() / 100, 2) << what;
    const JsonValue* described =
        FindJson(GetJson(operation, "responses"), std::to_string(answer.status()));
    ASSERT_NE(described, nullptr) << what;
    const JsonValue& content = GetJson(GetJson(*described, "content"), "application/json");
    EXPECT_EQ(ShapeProblem(document, GetJson(content, "schema"), answer.json), "") << what;
    ++asked;
  };
  for (const auto& path : GetJson(document, "paths").GetObject()) {
    for (const auto& one : path.value.GetObject()) {
      if (FindJson(one.value, "x-needs-store") == nullptr) continue;
      std::string method(JsonText(one.name));
      for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
      const JsonValue* request = FindJson(one.value, "requestBody");
      if (request == nullptr) {
        ask(method, std::string(JsonText(path.name)), one.value, nullptr);
        continue;
      }
      const JsonValue& content = GetJson(GetJson(*request, "content"), "application/json");
      for (const auto& example : GetJson(content, "examples").GetObject()) {
        const JsonValue& body = GetJson(example.value, "value");
        EXPECT_EQ(ShapeProblem(document, GetJson(content, "schema"), body), "");
        ask(method, std::string(JsonText(path.name)), one.value, &body);
      }
    }
  }
  EXPECT_EQ(asked, 11U);
}

// ---- the store comes and goes ------------------------------------------------------------------

// Runs its body while PostgreSQL is dead.
class Outage {
 public:
  Outage() { SharedCluster().Kill(); }
  ~Outage() { SharedCluster().Start(); }
};

TEST_F(ContributionsTest, WithoutTheStoreContributionsAreSpooledAndDeliveredInOrder) {
  Start();
  std::vector<std::string> sent = {"550 before"};
  Propose(sent[0]);
  {
    const Outage outage;
    for (const char* word : {"one", "two", "three"}) {
      sent.push_back(std::string("550 ") + word + " <jane@example.org>");
      const Answer answer = Propose(sent.back());
      EXPECT_EQ(answer.status(), 202) << answer.response.body;
      EXPECT_EQ(answer.Text("status"), "spooled");
      EXPECT_EQ(answer.Text("message_text"), std::string("550 ") + word + " <__email__>");
      EXPECT_EQ(FindJson(answer.json, "id"), nullptr);
    }
    const Answer csv = Ask("jo", "POST", "/api/proposals/bulk-csv",
                           "label,message\nunknown,550 four\nnice,x\nunknown,550 five\n",
                           {{"content-type", "text/csv"}});
    EXPECT_EQ(csv.status(), 202);
    EXPECT_EQ(csv.response.body,
              R"({"accepted":2,"errors":[{"row":3,"error":"unknown label 'nice'"}]})");
    EXPECT_EQ(Waiting(), 4);
    EXPECT_EQ(Ask("jo", "GET", "/api/proposals").status(), 503);
    EXPECT_EQ(served_->Ask("GET", "/readyz").status, 200);
    EXPECT_EQ(ReadFile(folder_.path() / "spool" / "spool.sqlite-wal").find("jane"),
              std::string::npos);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"),
            std::vector<std::string>({"550 before", "550 one <__email__>", "550 two <__email__>",
                                      "550 three <__email__>", "550 four", "550 five"}));
  EXPECT_EQ(Propose("550 after").status(), 201);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "spooled"}}), 5);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "delivered"}}), 5);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "inserted"}}), 2);
}

TEST_F(ContributionsTest, AKeyThatWasSpooledIsKnownThereAndLaterInTheStore) {
  Start();
  const HeaderList key = {{"idempotency-key", "k"}};
  {
    const Outage outage;
    EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 202);
    EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 202);
    EXPECT_EQ(Propose("550 two", "user_unknown", key).status(), 422);
    EXPECT_EQ(Waiting(), 1);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Propose("550 one", "user_unknown", key).status(), 200);
  EXPECT_EQ(Propose("550 two", "user_unknown", key).status(), 422);
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one"}));
}

TEST_F(ContributionsTest, WhatWaitsOutlivesTheServer) {
  Start();
  {
    const Outage outage;
    EXPECT_EQ(Propose("550 one").status(), 202);
    served_.reset();
    Start();
    EXPECT_EQ(Propose("550 two").status(), 202);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one", "550 two"}));
}

TEST_F(ContributionsTest, AFullSpoolSays503AndKeepsWhatItHas) {
  Start(4000);
  size_t accepted = 0;
  {
    const Outage outage;
    for (int i = 0; i < 20; ++i) {
      const Answer answer = Propose("550 text of number " + std::string(size_t(i) + 1, 'x'));
      if (answer.status() == 202) {
        ++accepted;
        continue;
      }
      EXPECT_EQ(answer.status(), 503);
      EXPECT_EQ(answer.Text("error"),
                "contributions cannot be kept at this moment; send it again later");
      EXPECT_TRUE(std::any_of(answer.response.headers.begin(), answer.response.headers.end(),
                              [](const auto& header) { return header.first == "Retry-After"; }));
    }
    EXPECT_GT(accepted, 3U);
    EXPECT_LT(accepted, 20U);
    EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "refused"}}),
              20.0 - static_cast<double>(accepted));
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo").size(), accepted);
}

TEST_F(ContributionsTest, AStoreWithoutItsSchemaIsWaitedFor) {
  uri_ = SharedCluster().NewDatabase();
  Start();
  EXPECT_EQ(Propose("550 one").status(), 202);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/stats").status(), 503);
  PostgresConnection connection(uri_);
  MigrateSchema(&connection);
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one"}));
}

TEST_F(ContributionsTest, WhatTheStoreRefusesForGoodIsSetAsideAndHoldsUpNobody) {
  Start();
  Sql("ALTER TABLE rebound.contributed_texts ADD CHECK (text NOT LIKE '%poison%')");
  EXPECT_EQ(Propose("550 poison").status(), 202);
  EXPECT_EQ(Propose("550 fine").status() / 100, 2);
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 fine"}));
  EXPECT_EQ(Metric("rebound_spool_dead"), 1);
  const Answer stats = Ask("ro", "GET", "/admin/api/stats");
  const JsonValue& spool = GetJson(stats.json, "spool");
  EXPECT_EQ(GetJsonInt(spool, "waiting"), 0);
  EXPECT_EQ(GetJsonInt(spool, "dead"), 1);
  const JsonValue& dead = GetJson(spool, "deadLetters")[0];
  EXPECT_EQ(GetJsonString(dead, "contributor"), "jo");
  EXPECT_NE(GetJsonString(dead, "why").find("check constraint"), std::string_view::npos);
}

TEST_F(ContributionsTest, ARightThatIsMissingLosesNothing) {
  Start();
  // As a store that became a standby, and as one whose administrator forgot a grant.
  for (const char* change : {"ALTER DATABASE %s SET default_transaction_read_only = on",
                             "ALTER DATABASE %s RESET default_transaction_read_only"}) {
    std::string statement = change;
    const size_t begin = uri_.find("///") + 3;
    statement.replace(statement.find("%s"), 2, uri_.substr(begin, uri_.find('?') - begin));
    PostgresConnection(SharedCluster().uri()).ExecuteAlone(statement);
    PostgresConnection(SharedCluster().uri())
        .Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
          sql.Execute(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE application_name = 'rebound-serve'");
        });
    if (statement.find("RESET") != std::string::npos) break;
    EXPECT_EQ(Propose("550 one").status(), 202);
    EXPECT_EQ(Propose("550 two").status(), 202);
  }
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 one", "550 two"}));
  EXPECT_EQ(Metric("rebound_spool_dead"), 0);
}

TEST_F(ContributionsTest, ASilentStoreIsHungUpOn) {
  Start();
  Propose("550 before");
  const auto signal = [&](int number) {
    PostgresConnection(SharedCluster().uri())
        .Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
          const SqlRows rows = sql.Execute(
              "SELECT pid FROM pg_stat_activity WHERE application_name = 'rebound-serve'");
          for (size_t row = 0; row < rows.size(); ++row) {
            ASSERT_EQ(::kill(static_cast<pid_t>(rows.Int(row, 0)), number), 0);
          }
        });
  };
  signal(SIGSTOP);
  EXPECT_EQ(Propose("550 while silent").status(), 202);
  ASSERT_TRUE(EventuallyDelivered()) << "over a new connection";
  signal(SIGCONT);
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 before", "550 while silent"}));
}

// ---- a slow store ------------------------------------------------------------------------------

TEST_F(ContributionsTest, ASlowStoreHoldsUpNeitherContributorsNorClassification) {
  Start();
  Propose("550 before");
  PostgresConnection other(uri_);
  std::vector<std::chrono::nanoseconds> taken;
  other.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("LOCK TABLE rebound.proposals IN ACCESS EXCLUSIVE MODE");
    // Every thread of the store has work that does not end.
    std::vector<std::future<Answer>> waiting;
    for (int i = 0; i < 8; ++i) {
      waiting.push_back(std::async(std::launch::async, [this, i] {
        return Propose("550 while slow " + std::string(size_t(i) + 1, 'x'));
      }));
      waiting.push_back(
          std::async(std::launch::async, [this] { return Ask("jo", "GET", "/api/proposals"); }));
    }
    const auto is_done = [](std::future<Answer>& one) {
      return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (!std::all_of(waiting.begin(), waiting.end(), is_done)) {
      const auto start = Clock::now();
      EXPECT_EQ(served_->Ask("GET", "/livez").status, 200);
      EXPECT_EQ(served_
                    ->Ask("POST", "/v3/classify", R"({"message":"user unknown"})",
                          {{"x-api-key", "ro-key"}})
                    .status,
                200);
      taken.push_back(Clock::now() - start);
      std::this_thread::yield();
    }
    for (size_t i = 0; i < waiting.size(); ++i) {
      EXPECT_EQ(waiting[i].get().status(), i % 2 == 0 ? 202 : 503);
    }
  });
  std::sort(taken.begin(), taken.end());
  EXPECT_LT(taken[taken.size() * 99 / 100], std::chrono::milliseconds(100));
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo").size(), 9U);
}

}  // namespace
}  // namespace rebound::test
