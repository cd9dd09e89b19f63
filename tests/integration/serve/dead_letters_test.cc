// Contributions that the label store refused for good: seen, tried again, thrown away.
#include "contributions.h"
#include "labelstore/schema.h"

namespace rebound::test {
namespace {

class DeadLettersTest : public ContributionsTest {
 protected:
  // The store refuses "poison" until Heal.
  DeadLettersTest() {
    Sql("ALTER TABLE rebound.contributed_texts ADD CONSTRAINT no_poison "
        "CHECK (text NOT LIKE '%poison%')");
    Start();
  }
  void Heal() { Sql("ALTER TABLE rebound.contributed_texts DROP CONSTRAINT no_poison"); }

  struct Letter {
    int64_t id = 0;
    std::string contributor, why;
  };
  std::vector<Letter> Letters() {
    const Answer answer = Ask("ro", "GET", "/admin/api/dead-letters");
    EXPECT_EQ(answer.status(), 200) << answer.response.body;
    std::vector<Letter> letters;
    for (const JsonValue& each : GetJson(answer.json, "dead").GetArray()) {
      EXPECT_EQ(GetJsonInt(each, "proposals"), 1);
      EXPECT_NE(GetJsonString(each, "died_at"), "");
      letters.push_back({GetJsonInt(each, "id"), std::string(GetJsonString(each, "contributor")),
                         std::string(GetJsonString(each, "why"))});
    }
    return letters;
  }
  // The only one there is, refused by the store.
  int64_t OneDead(const std::string& text, HeaderList headers = {}) {
    EXPECT_EQ(Propose(text, "user_unknown", std::move(headers)).status(), 202);
    EXPECT_TRUE(EventuallyDelivered());
    const std::vector<Letter> letters = Letters();
    return letters.size() == 1 ? letters[0].id : 0;
  }
  Answer Retry(int64_t id) {
    return Ask("ro", "POST", "/admin/api/dead-letters/" + std::to_string(id) + "/retry");
  }
};

TEST_F(DeadLettersTest, OneThatIsTriedAgainReachesTheStoreOnce) {
  EXPECT_TRUE(Letters().empty());
  const int64_t id = OneDead("550 poison <jane@example.org>");
  EXPECT_EQ(Letters()[0].contributor, "jo");
  EXPECT_NE(Letters()[0].why.find("no_poison"), std::string::npos);
  EXPECT_EQ(Retry(id).response.body, R"({"ok":true})");
  ASSERT_TRUE(EventuallyDelivered());
  ASSERT_EQ(Letters().size(), 1U) << "it was refused again";
  const int64_t again = Letters()[0].id;
  EXPECT_GT(again, id);
  Heal();
  EXPECT_EQ(Retry(id).status(), 404);
  EXPECT_EQ(Retry(again).status(), 200);
  EXPECT_EQ(Retry(again).Text("error"), "no dead letter " + std::to_string(again));
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_TRUE(Letters().empty());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 poison <__email__>"}));
  EXPECT_EQ(Metric("rebound_spool_dead"), 0);
  EXPECT_EQ(Metric("rebound_proposals_total", {{"outcome", "delivered"}}), 1);
}

TEST_F(DeadLettersTest, OneThatTheStoreHasAlreadyIsNotThereTwice) {
  const int64_t id = OneDead("550 poison");
  Heal();
  EXPECT_EQ(Propose("550 poison").status(), 201);
  EXPECT_EQ(Propose("550 later").status(), 201);
  EXPECT_EQ(Retry(id).status(), 200);
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 poison", "550 later"}));
}

TEST_F(DeadLettersTest, AreSeenTriedAndThrownAwayWhileTheStoreIsAway) {
  const int64_t id = OneDead("550 poison");
  {
    const Outage outage;
    EXPECT_EQ(Letters().size(), 1U);
    EXPECT_EQ(Propose("550 fine").status(), 202);
    EXPECT_EQ(Retry(id).status(), 200);
    EXPECT_EQ(Waiting(), 2);
    EXPECT_TRUE(Letters().empty());
  }
  Heal();
  ASSERT_TRUE(EventuallyDelivered());
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 fine", "550 poison"}))
      << "behind what waited, or as soon as the store took it";
}

TEST_F(DeadLettersTest, OneIsThrownAwayOnlyByWhoSaysSo) {
  const std::string path = "/admin/api/dead-letters/" + std::to_string(OneDead("550 poison"));
  const Answer unsure = Ask("ro", "DELETE", path);
  EXPECT_EQ(unsure.status(), 422);
  EXPECT_EQ(unsure.Text("error"),
            "this throws an acknowledged contribution away for good: say confirm=true");
  EXPECT_EQ(Ask("ro", "DELETE", path + "?confirm=false").status(), 422);
  EXPECT_EQ(Ask("ro", "DELETE", path + "?confirm=yes").status(), 400);
  EXPECT_EQ(Ask("ro", "DELETE", path + "?sure=true").status(), 400);
  EXPECT_EQ(Letters().size(), 1U);
  EXPECT_EQ(Ask("ro", "DELETE", path + "?confirm=true").response.body, R"({"ok":true})");
  EXPECT_TRUE(Letters().empty());
  EXPECT_EQ(Ask("ro", "DELETE", path + "?confirm=true").status(), 404);
  EXPECT_EQ(Ask("ro", "DELETE", "/admin/api/dead-letters/x?confirm=true").status(), 404);
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/dead-letters/x/retry").status(), 404);
  EXPECT_EQ(Metric("rebound_spool_dead"), 0);
}

TEST_F(DeadLettersTest, OneWaitsForAnotherRequestWithItsKey) {
  const HeaderList key = {{"idempotency-key", "k"}};
  const int64_t id = OneDead("550 poison", key);
  {
    const Outage outage;
    EXPECT_EQ(Propose("550 another", "user_unknown", key).status(), 202);
    const Answer early = Retry(id);
    EXPECT_EQ(early.status(), 409);
    EXPECT_NE(early.Text("error").find("try again when that one has left"), std::string::npos);
    EXPECT_EQ(Letters().size(), 1U);
  }
  ASSERT_TRUE(EventuallyDelivered());
}

}  // namespace
}  // namespace rebound::test
