// The queue and decisions over the API, with a real PostgreSQL.
#include "contributions.h"

namespace rebound::test {
namespace {

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
            (std::pair<std::string, std::string>("Allow", "GET, HEAD, PATCH, OPTIONS")));
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

}  // namespace
}  // namespace rebound::test
