// What reviewers find in the queue: filters, orders, near copies.
#include "contributions.h"

namespace rebound::test {
namespace {

class QueueTest : public ContributionsTest {
 protected:
  QueueTest() { Start(); }

  // The texts of a page, without the "550 " that all begin with; or the status.
  std::string Texts(const std::string& query, const std::string& reviewer = "ro") {
    const Answer answer = Ask(reviewer, "GET", "/admin/api/proposals" + query);
    if (answer.status() != 200) return std::to_string(answer.status());
    std::string texts;
    for (const JsonValue& each : GetJson(answer.json, "proposals").GetArray()) {
      texts +=
          (texts.empty() ? "" : ", ") + std::string(GetJsonString(each, "message_text")).substr(4);
    }
    return texts;
  }
};

TEST_F(QueueTest, IsFilteredAsAsked) {
  Proposed("550 the Mailbox is full", "mailbox_full");
  Proposed("550 no such user");
  Propose("550 of al", "spam_blocked", {}, "al");
  Ask("jo", "POST", "/api/proposals",
      R"({"message":"550 by spf","label":"auth_failure","bnac":"SPF","backoff":"GENERIC_BLOCK"})");
  EXPECT_EQ(Texts(""), "by spf, of al, no such user, the Mailbox is full");
  EXPECT_EQ(Texts("?contributor=al"), "of al");
  EXPECT_EQ(Texts("?contributor=nobody"), "");
  EXPECT_EQ(Texts("?label=mailbox_full"), "the Mailbox is full");
  EXPECT_EQ(Texts("?bnac=SPF"), "by spf");
  EXPECT_EQ(Texts("?bnac=SPF&backoff=GENERIC_BLOCK&label=auth_failure&contributor=jo"), "by spf");
  EXPECT_EQ(Texts("?bnac=SPF&label=mailbox_full"), "");
  EXPECT_EQ(Texts("?q=mailbox"), "the Mailbox is full");
  EXPECT_EQ(Texts("?q=NO+such"), "no such user");
  EXPECT_EQ(Texts("?q=%25"), "") << "no wildcard";
  EXPECT_EQ(Texts("?q='"), "");
  EXPECT_EQ(Texts("?q="), Texts(""));
  EXPECT_EQ(Texts("?q=%ff"), "");
  EXPECT_EQ(Texts("?source=contribution&limit=1"), "by spf");
  EXPECT_EQ(Texts("?source=suspect"), "");
  EXPECT_EQ(Texts("?status=pending&q=of&limit=1&page=1"), "of al");
}

TEST_F(QueueTest, LeavesOutWhatTheReviewerDecidedAlready) {
  Ask("ro", "PATCH", "/admin/api/settings", R"({"overlap":2})");
  const int64_t one = Proposed("550 one");
  Proposed("550 two");
  Decide("ro", one, R"({"status":"approved"})");
  EXPECT_EQ(Texts("?status=pending&unreviewed=true"), "two");
  EXPECT_EQ(Texts("?status=pending&unreviewed=false"), "two, one");
  EXPECT_EQ(Texts("?status=pending&unreviewed=true", "rita"), "two, one");
}

TEST_F(QueueTest, RefusesWhatItDoesNotKnow) {
  for (const char* query :
       {"?label=nice", "?bnac=spf", "?source=someone", "?q=%00", "?contributor=%00", "?colour=red",
        "?unreviewed=maybe", "?page=0", "?limit=1001", "?sort=best", "?status=good"}) {
    EXPECT_EQ(Texts(query), "400") << query;
  }
  EXPECT_EQ(Texts("?q=" + std::string(201, 'a')), "400");
  EXPECT_EQ(Ask("jo", "GET", "/api/proposals?q=x").status(), 400) << "for reviewers alone";
}

TEST_F(QueueTest, TheNearCopiesShowWhatOneDecisionWouldServe) {
  const std::string text = "550 the mailbox of this user cannot take any more mail at present ";
  const int64_t first = Proposed(text + "alpha", "mailbox_full"),
                second = Proposed(text + "beta", "mailbox_full"),
                other = Proposed(text + "gamma", "rate_limited");
  Proposed("550 something else altogether");
  const auto told = [&](int64_t id, const std::string& query = "") {
    const Answer answer = Ask("ro", "GET", Path(id, "/cluster") + query);
    std::string ids =
        std::to_string(answer.Int("served")) + " of " + std::to_string(answer.Int("total")) + ":";
    for (const JsonValue& each : GetJson(answer.json, "proposals").GetArray()) {
      ids += " " + std::to_string(GetJsonInt(each, "id")) +
             (GetJsonBool(each, "served") ? "" : "(not)");
    }
    return ids;
  };
  const std::string a = std::to_string(first), b = std::to_string(second),
                    c = std::to_string(other);
  EXPECT_EQ(told(first), "2 of 3: " + b + " " + a + " " + c + "(not)");
  EXPECT_EQ(told(other), "1 of 3: " + c + " " + b + "(not) " + a + "(not)");
  EXPECT_EQ(told(first, "?limit=1"), "2 of 3: " + b);
  EXPECT_EQ(
      Ask("ro", "PATCH", Path(first), R"({"status":"approved","cluster":true})").Int("updated"), 2);
  EXPECT_EQ(Ask("ro", "GET", Path(first, "/cluster")).Int("cluster_volume"), 3);
  EXPECT_EQ(told(other), "1 of 3: " + c + " " + b + "(not) " + a + "(not)");
  EXPECT_EQ(Ask("ro", "GET", Path(999, "/cluster")).status(), 404);
  EXPECT_EQ(Ask("ro", "GET", Path(first, "/cluster?limit=0")).status(), 400);
  EXPECT_EQ(Ask("ro", "GET", Path(first, "/cluster?limit=201")).status(), 400);
}

}  // namespace
}  // namespace rebound::test
