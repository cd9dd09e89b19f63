// Contributions over the API, with a real PostgreSQL.
#include "contributions.h"
#include "labelstore/proposals.h"

namespace rebound::test {
namespace {

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

}  // namespace
}  // namespace rebound::test
