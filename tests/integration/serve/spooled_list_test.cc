// Contributors see what waits in the spool, also while PostgreSQL is away; previews.
#include "contributions.h"

namespace rebound::test {
namespace {

using SpooledListTest = ContributionsTest;

TEST_F(SpooledListTest, OnesOwnThatWaitAreShownWhileTheStoreIsAway) {
  Start();
  Propose("550 before");
  {
    const Outage outage;
    Ask("jo", "POST", "/api/proposals",
        R"({"message":"550 one <jane@example.org>","label":"user_unknown","bnac":"SPF",)"
        R"("comment":"ask bob@example.net"})");
    Propose("550 two", "mailbox_full");
    Propose("550 of al", "user_unknown", {}, "al");
    const Answer page = Ask("jo", "GET", "/api/proposals?limit=10");
    EXPECT_EQ(page.status(), 200) << page.response.body;
    EXPECT_FALSE(GetJsonBool(page.json, "storeAvailable"));
    EXPECT_TRUE(GetJson(page.json, "proposals").Empty());
    EXPECT_EQ(FindJson(page.json, "total"), nullptr) << "nobody knows";
    EXPECT_EQ(page.Int("limit"), 10);
    EXPECT_EQ(page.Int("spooledTotal"), 2);
    const JsonValue& spooled = GetJson(page.json, "spooled");
    ASSERT_EQ(spooled.Size(), 2U);
    EXPECT_EQ(GetJsonString(spooled[0], "message_text"), "550 two") << "the newest first";
    EXPECT_EQ(GetJsonString(spooled[0], "proposed_label"), "mailbox_full");
    EXPECT_EQ(GetJsonString(spooled[1], "message_text"), "550 one <__email__>");
    EXPECT_EQ(GetJsonString(spooled[1], "proposed_bnac"), "SPF");
    EXPECT_EQ(GetJsonString(spooled[1], "comment"), "ask __email__");
    EXPECT_EQ(GetJsonString(spooled[1], "status"), "spooled");
    EXPECT_EQ(GetJsonString(spooled[1], "accepted_at").size(), 20U);
    EXPECT_NE(FindJson(spooled[1], "model_label"), nullptr);
    EXPECT_EQ(Ask("al", "GET", "/api/proposals").Int("spooledTotal"), 1);
    for (const char* part : {"?page=2", "?status=approved", "?status=untrained"}) {
      EXPECT_EQ(Ask("jo", "GET", std::string("/api/proposals") + part).status(), 503) << part;
    }
  }
  ASSERT_TRUE(EventuallyDelivered());
  const Answer page = Ask("jo", "GET", "/api/proposals");
  EXPECT_TRUE(GetJsonBool(page.json, "storeAvailable"));
  EXPECT_EQ(page.Int("total"), 3);
  EXPECT_TRUE(GetJson(page.json, "spooled").Empty());
  EXPECT_EQ(page.Int("spooledTotal"), 0);
  EXPECT_EQ(FindJson(Ask("jo", "GET", "/api/proposals?page=2").json, "spooled"), nullptr);
}

TEST_F(SpooledListTest, AHundredAreShownAndAllAreCounted) {
  Start();
  std::string csv = "label,message\n";
  for (int i = 0; i < 150; ++i) {
    csv += "unknown,550 text " + std::string(size_t(i) + 1, 'x') + "\n";
  }
  {
    const Outage outage;
    Propose("550 older");
    EXPECT_EQ(
        Ask("jo", "POST", "/api/proposals/bulk-csv", csv, {{"content-type", "text/csv"}}).status(),
        202);
    const Answer page = Ask("jo", "GET", "/api/proposals");
    EXPECT_EQ(page.Int("spooledTotal"), 151);
    const JsonValue& spooled = GetJson(page.json, "spooled");
    ASSERT_EQ(spooled.Size(), 100U);
    EXPECT_EQ(GetJsonString(spooled[0], "message_text"), "550 text " + std::string(150, 'x'));
    EXPECT_EQ(GetJsonString(spooled[99], "message_text"), "550 text " + std::string(51, 'x'));
  }
  ASSERT_TRUE(EventuallyDelivered());
}

TEST_F(SpooledListTest, ThePreviewIsThereUnderBothNames) {
  Start();
  const std::string body =
      R"({"message":"550 <jane@example.org> unknown","label":"user_unknown","comment":"ask al"})";
  const Answer preview = Ask("jo", "POST", "/api/proposals?preview=true", body);
  EXPECT_EQ(preview.status(), 200);
  EXPECT_EQ(preview.response.body, Ask("jo", "POST", "/api/proposals/preview", body).response.body);
  EXPECT_EQ(preview.Text("message_text"), "550 <__email__> unknown");
  EXPECT_EQ(Own("jo"), std::vector<std::string>()) << "nothing was kept";
  EXPECT_EQ(Ask("jo", "POST", "/api/proposals?preview=false", body).status(), 201);
  EXPECT_EQ(Ask("jo", "POST", "/api/proposals?preview=maybe", body).status(), 400);
  EXPECT_EQ(Ask("jo", "POST", "/api/proposals?review=true", body).status(), 400);
}

}  // namespace
}  // namespace rebound::test
