// The reviewers' desk over the API: undo, disputes, agreement, settings, trust.
#include "contributions.h"

namespace rebound::test {
namespace {

constexpr const char* kApprove = R"({"status":"approved"})";
constexpr const char* kReject = R"({"status":"rejected"})";
constexpr const char* kFull = R"({"status":"approved","label":"mailbox_full"})";

class DeskTest : public ContributionsTest {
 protected:
  DeskTest() { Start(); }

  int64_t Undo(const std::string& reviewer) {
    const Answer answer = Ask(reviewer, "POST", "/admin/api/proposals/undo");
    EXPECT_EQ(answer.status(), 200) << answer.response.body;
    return answer.Int("updated");
  }
  void SetOverlap(int reviewers) {
    const Answer answer = Ask("ro", "PATCH", "/admin/api/settings",
                              R"({"overlap":)" + std::to_string(reviewers) + "}");
    EXPECT_EQ(answer.response.body, R"({"overlap":)" + std::to_string(reviewers) + "}");
  }
};

TEST_F(DeskTest, OneIsShownAsTheDecisionShowsIt) {
  const int64_t id = Proposed("550 one");
  const Answer shown = Ask("ro", "GET", Path(id));
  EXPECT_EQ(shown.status(), 200);
  EXPECT_EQ(shown.Text("message_text"), "550 one");
  EXPECT_EQ(shown.Text("contributor"), "jo");
  const Answer decided = Ask("ro", "PATCH", Path(id), kApprove);
  std::string proposal;
  JsonWriter(&proposal).Value(GetJson(decided.json, "proposal"));
  EXPECT_EQ(Ask("ro", "GET", Path(id)).response.body, proposal);
  EXPECT_EQ(Ask("ro", "GET", Path(999)).Text("error"), "no proposal 999");
  EXPECT_EQ(Ask("ro", "GET", Path(999)).status(), 404);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/proposals/x").status(), 404);
}

TEST_F(DeskTest, UndoTakesBackOneDecisionAfterTheOtherWhateverItWasAbout) {
  const int64_t a = Proposed("550 a"), b = Proposed("550 b"), c = Proposed("550 c"),
                d = Proposed("550 d");
  EXPECT_EQ(Decide("ro", a, kApprove), "approved");
  EXPECT_EQ(Decide("ro", b, kReject), "rejected");
  Ask("ro", "POST", "/admin/api/proposals/bulk",
      R"({"status":"skipped","ids":[)" + std::to_string(c) + "," + std::to_string(d) + "]}");
  EXPECT_EQ(Status(d), "skipped");
  const Answer first = Ask("ro", "POST", "/admin/api/proposals/undo", "{}");
  EXPECT_EQ(first.Int("updated"), 2);
  EXPECT_GT(first.Int("batch"), 0);
  ASSERT_EQ(GetJson(first.json, "proposals").Size(), 2U);
  EXPECT_EQ(GetJsonString(GetJson(first.json, "proposals")[0], "status"), "pending");
  EXPECT_EQ(Status(b), "rejected");
  EXPECT_EQ(Undo("rita"), 0) << "another one's decisions are not hers";
  EXPECT_EQ(Undo("ro"), 1);
  EXPECT_EQ(Status(b), "pending");
  EXPECT_EQ(Status(a), "approved");
  EXPECT_EQ(Undo("ro"), 1);
  EXPECT_EQ(Status(a), "pending");
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/proposals/undo").response.body,
            R"({"ok":true,"updated":0})");
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/proposals/undo", "[]").status(), 422);
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/proposals/undo", "{").status(), 400);
}

TEST_F(DeskTest, ADecisionIsNotTakenBackUnderANewerProposal) {
  const int64_t id = Proposed("550 a");
  EXPECT_EQ(Decide("ro", id, kReject), "rejected");
  const int64_t newer = Proposed("550 a", "mailbox_full");
  const Answer undo = Ask("ro", "POST", "/admin/api/proposals/undo");
  EXPECT_EQ(undo.status(), 409);
  EXPECT_EQ(undo.Text("error"), "the contributor of proposal " + std::to_string(id) +
                                    " has proposed another label since: decide proposal " +
                                    std::to_string(newer) + " instead");
}

TEST_F(DeskTest, TwoReviewersDisagreeAndAThirdWordDecides) {
  SetOverlap(2);
  const int64_t id = Proposed("550 a");
  EXPECT_EQ(Decide("ro", id, kApprove), "pending");
  EXPECT_EQ(Decide("rita", id, kReject), "disputed");
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/proposals?status=disputed").Int("total"), 1);
  EXPECT_EQ(Decide("rita", id, R"({"status":"approved","label":"mailbox_full","adjudicate":true})"),
            "approved");
  EXPECT_EQ(Ask("ro", "GET", Path(id)).Text("decided_label"), "mailbox_full");
  EXPECT_EQ(Undo("rita"), 1);
  EXPECT_EQ(Status(id), "disputed") << "her earlier word counts again";
  EXPECT_EQ(Undo("rita"), 1);
  EXPECT_EQ(Status(id), "pending");
}

TEST_F(DeskTest, TheSameDecisionTwiceChangesNothingTheSecondTime) {
  SetOverlap(2);
  const int64_t id = Proposed("550 a");
  const auto updated = [&](const std::string& reviewer, const std::string& body) {
    return Ask(reviewer, "PATCH", Path(id), body).Int("updated");
  };
  EXPECT_EQ(updated("ro", kFull), 1);
  EXPECT_EQ(updated("ro", kFull), 0) << "while it is open";
  EXPECT_EQ(updated("rita", kFull), 1);
  EXPECT_EQ(updated("rita", kFull), 0) << "when it is decided";
  EXPECT_EQ(updated("ro", kFull), 0);
  EXPECT_EQ(Status(id), "approved");
  EXPECT_EQ(Decide("ro", id, kApprove).substr(0, 4), "409:") << "this is another label";
  EXPECT_EQ(Undo("ro"), 1);
  EXPECT_EQ(Status(id), "pending");
  EXPECT_EQ(Undo("ro"), 0) << "one decision was one";
}

TEST_F(DeskTest, OtherNotesAreAnotherWordAndAStandingDecisionIsNotSaidAgain) {
  SetOverlap(2);
  const int64_t id = Proposed("550 a");
  const std::string noted = R"({"status":"rejected","notes":"ask jane@example.org"})";
  const auto updated = [&](const std::string& body) {
    return Ask("ro", "PATCH", Path(id), body).Int("updated");
  };
  EXPECT_EQ(updated(kReject), 1);
  EXPECT_EQ(updated(noted), 1);
  EXPECT_EQ(updated(noted), 0);
  EXPECT_EQ(updated(kReject), 0);
  EXPECT_EQ(Decide("rita", id, R"({"status":"approved","adjudicate":true})"), "approved");
  EXPECT_EQ(Decide("ro", id, kReject), "409: proposal " + std::to_string(id) +
                                           " is approved already: undo that, or adjudicate");
}

TEST_F(DeskTest, OfManyThoseAreDecidedThatWereNot) {
  const int64_t a = Proposed("550 a"), b = Proposed("550 b");
  Decide("ro", a, kApprove);
  const std::string both =
      R"({"status":"approved","ids":[)" + std::to_string(a) + "," + std::to_string(b) + "]}";
  const auto bulk = [&] { return Ask("ro", "POST", "/admin/api/proposals/bulk", both); };
  EXPECT_EQ(bulk().Int("updated"), 1);
  EXPECT_EQ(bulk().Int("updated"), 0);
  EXPECT_EQ(Ask("rita", "POST", "/admin/api/proposals/bulk", both).status(), 409);
  EXPECT_EQ(Undo("ro"), 1);
  EXPECT_EQ(Status(a) + " " + Status(b), "approved pending");
}

TEST_F(DeskTest, AgreementIsMeasuredByTask) {
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/agreement").response.body,
            R"({"overlap":1,"agreement":[{"task":"bnac","proposals":0,"reviewers":0},)"
            R"({"task":"backoff","proposals":0,"reviewers":0},)"
            R"({"task":"label","proposals":0,"reviewers":0}]})");
  SetOverlap(2);
  const int64_t same = Proposed("550 a"), full = Proposed("550 b", "mailbox_full"),
                other = Proposed("550 c"), none = Proposed("550 d");
  for (const int64_t id : {same, full, other}) Decide("ro", id, kApprove);
  for (const int64_t id : {same, full}) Decide("rita", id, kApprove);
  Decide("rita", other, kFull);
  for (const char* reviewer : {"ro", "rita"}) Decide(reviewer, none, kReject);
  const Answer answer = Ask("ro", "GET", "/admin/api/agreement");
  EXPECT_EQ(answer.Int("overlap"), 2);
  const JsonValue& label = GetJson(answer.json, "agreement")[2];
  EXPECT_EQ(GetJsonString(label, "task"), "label");
  EXPECT_EQ(GetJsonInt(label, "proposals"), 4);
  EXPECT_EQ(GetJsonInt(label, "reviewers"), 2);
  // They agree in 3 of 4; by chance in 5 of 16 (Cohen) and 11 of 32 (Fleiss).
  EXPECT_NEAR(GetJsonDouble(label, "cohen"), 7.0 / 11, 1e-9);
  EXPECT_NEAR(GetJsonDouble(label, "fleiss"), 13.0 / 21, 1e-9);
}

TEST_F(DeskTest, SettingsAreCheckedKeptAndAudited) {
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/settings").response.body, R"({"overlap":1})");
  SetOverlap(3);
  EXPECT_EQ(Ask("rita", "GET", "/admin/api/settings").response.body, R"({"overlap":3})");
  for (const char* body : {R"({"overlap":0})", R"({"overlap":21})", R"({"overlap":"2"})",
                           R"({"overlap":1.5})", "{}", "[]"}) {
    EXPECT_EQ(Ask("ro", "PATCH", "/admin/api/settings", body).status(), 422) << body;
  }
  EXPECT_EQ(Ask("ro", "PATCH", "/admin/api/settings", "{").status(), 400);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/settings").Int("overlap"), 3);
  PostgresConnection(uri_).Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
    const SqlRows rows = sql.Execute(
        "SELECT actor, after ->> 'overlap' FROM rebound.audit WHERE entity = 'review_settings' "
        "ORDER BY id DESC LIMIT 1");
    EXPECT_EQ(rows.Text(0, 0), "ro");
    EXPECT_EQ(rows.Text(0, 1), "3");
  });
}

TEST_F(DeskTest, APoisoningKeyIsHeldSeenAndReleased) {
  int64_t last = 0;
  for (const char* word : {"one", "two", "three", "four", "five"}) {
    last = Proposed(std::string("550 blocked by zen.spamhaus.org ") + word);
  }
  EXPECT_EQ(Status(last), "quarantined");
  EXPECT_EQ(Decide("ro", last, kApprove).substr(0, 4), "409:");
  const Answer hits = Ask("ro", "GET", "/admin/api/quarantine");
  ASSERT_EQ(GetJson(hits.json, "hits").Size(), 1U);
  const JsonValue& hit = GetJson(hits.json, "hits")[0];
  EXPECT_EQ(GetJsonString(hit, "contributor"), "jo");
  EXPECT_EQ(GetJsonString(hit, "rule"), "poisoning");
  EXPECT_NE(GetJsonString(hit, "detail"), "");
  EXPECT_NE(GetJsonString(hit, "hit_at"), "");
  EXPECT_EQ(FindJson(hit, "released_at"), nullptr);
  const auto record = [&] {
    const Answer answer = Ask("ro", "GET", "/admin/api/contributors");
    std::string text;
    JsonWriter(&text).Value(GetJson(answer.json, "contributors")[0]);
    return text;
  };
  EXPECT_EQ(record(), R"({"name":"jo","weight":0.8,"agreed":0,"disagreed":0,)"
                      R"("proposals":{"quarantined":5},"held_reason":"poisoning"})");
  EXPECT_EQ(Ask("jo", "POST", "/admin/api/contributors/jo/release").status(), 403);
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/contributors/jo/release").response.body,
            R"({"ok":true,"released":5})");
  EXPECT_EQ(record(), R"({"name":"jo","weight":0.8,"agreed":0,"disagreed":0,)"
                      R"("proposals":{"pending":5}})");
  const Answer after = Ask("ro", "GET", "/admin/api/quarantine");
  EXPECT_EQ(GetJsonString(GetJson(after.json, "hits")[0], "released_by"), "ro");
  const Answer again = Ask("ro", "POST", "/admin/api/contributors/jo/release", "{}");
  EXPECT_EQ(again.status(), 404);
  EXPECT_EQ(again.Text("error"), "the contributor 'jo' is not held");
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/contributors/%ff/release").status(), 404);
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/contributors/%00/release").status(), 404);
}

TEST_F(DeskTest, TheHistoryTellsWhoDidWhatWithTheNamesOfLabels) {
  const int64_t id = Proposed("550 a");
  Decide("ro", id, R"({"status":"approved","label":"mailbox_full","notes":"the words say so"})");
  const Answer answer = Ask("rita", "GET", Path(id, "/history"));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.response.body.find("the words say so"), std::string::npos);
  std::string all;
  for (const JsonValue& entry : GetJson(answer.json, "history").GetArray()) {
    all += std::string(GetJsonString(entry, "actor")) + " " +
           std::string(GetJsonString(entry, "action")) + " " +
           std::string(GetJsonString(entry, "entity"));
    for (const char* side : {"before", "after"}) {
      const JsonValue* row = FindJson(entry, side);
      if (row == nullptr) continue;
      for (const char* key : {"label", "decided_label", "status", "decision"}) {
        const JsonValue* value = FindJson(*row, key);
        if (value != nullptr) all += std::string(" ") + side + " " + value->GetString();
      }
    }
    all += "\n";
  }
  for (const char* line :
       {"jo insert proposals after pending\n", "jo insert proposal_labels after user_unknown\n",
        "ro insert reviews after relabel\n", "ro insert review_labels after mailbox_full\n",
        "ro update proposals before pending after approved\n",
        "ro update proposal_labels before user_unknown after user_unknown after mailbox_full\n",
        "review:ro insert votes after mailbox_full\n"}) {
    EXPECT_NE(all.find(line), std::string::npos) << line << "is not in\n" << all;
  }
  EXPECT_EQ(Ask("ro", "GET", Path(999, "/history")).status(), 404);
  EXPECT_EQ(Ask("ro", "GET", Path(id, "/history?page=2")).status(), 400);
}

TEST_F(DeskTest, NobodyButAdminsSeesAnyOfIt) {
  const std::string one = Path(Proposed("550 a"));
  const std::vector<std::pair<std::string, std::string>> routes = {
      {"GET", one},
      {"GET", one + "/history"},
      {"GET", one + "/cluster"},
      {"POST", "/admin/api/proposals/undo"},
      {"GET", "/admin/api/agreement"},
      {"GET", "/admin/api/settings"},
      {"PATCH", "/admin/api/settings"},
      {"GET", "/admin/api/contributors"},
      {"POST", "/admin/api/contributors/jo/release"},
      {"GET", "/admin/api/quarantine"},
      {"GET", "/admin/api/dead-letters"},
      {"POST", "/admin/api/dead-letters/1/retry"},
      {"DELETE", "/admin/api/dead-letters/1?confirm=true"},
      {"POST", "/admin/api/export"},
      {"GET", "/admin/api/export"},
      {"GET", "/admin/api/snapshots"},
      {"GET", "/admin/api/snapshots/1/export"}};
  for (const auto& [method, path] : routes) {
    EXPECT_EQ(Ask("jo", method, path).status(), 403) << method << " " << path;
    EXPECT_EQ(Ask("wrong", method, path).status(), 401) << method << " " << path;
  }
}

}  // namespace
}  // namespace rebound::test
