// Snapshots over the API: made, listed, fetched; also where that takes long or a right is missing.
#include "contributions.h"
#include "labelstore/roles.h"
#include "labelstore/snapshots.h"

namespace rebound::test {
namespace {

class SnapshotRoutesTest : public ContributionsTest {
 protected:
  // One approved text, and a snapshot of it.
  Answer Make() {
    Decide("ro", Proposed("550 no <jane@example.org>"), R"({"status":"approved"})");
    return Ask("ro", "POST", "/admin/api/export");
  }
};

TEST_F(SnapshotRoutesTest, AreMadeNamedListedAndCarriedElsewhere) {
  Start();
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/export").response.body, R"({"running":false})");
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/snapshots").response.body, R"({"snapshots":[]})");
  const Answer made = Make();
  EXPECT_EQ(made.status(), 200);
  EXPECT_EQ(made.Int("count"), 1);
  const Answer last = Ask("ro", "GET", "/admin/api/export");
  EXPECT_FALSE(GetJsonBool(last.json, "running"));
  EXPECT_EQ(last.Int("count"), 1);
  EXPECT_NE(last.Text("ended_at"), "");
  const std::string digest(GetJsonString(GetJson(made.json, "snapshot"), "digest"));
  PostgresConnection connection(uri_);
  SnapshotCatalog(&connection).Name(1, "before-review");
  const Answer list = Ask("ro", "GET", "/admin/api/snapshots");
  const JsonValue& listed = GetJson(list.json, "snapshots")[0];
  EXPECT_EQ(GetJsonInt(listed, "id"), 1);
  EXPECT_EQ(GetJsonInt(listed, "rows"), 1);
  EXPECT_EQ(GetJsonString(listed, "digest"), digest);
  EXPECT_EQ(GetJsonStrings(listed, "names"), std::vector<std::string>({"before-review"}));
  const std::string elsewhere = SharedCluster().NewStore();
  PostgresConnection other(elsewhere);
  for (const std::string& name :
       {std::string("1"), std::string("before-review"), digest.substr(0, 8)}) {
    const Response rows = Ask("ro", "GET", "/admin/api/snapshots/" + name + "/export").response;
    EXPECT_EQ(rows.status, 200) << name;
    EXPECT_EQ(rows.content_type, "application/x-ndjson");
    EXPECT_NE(rows.body.find("550 no <__email__>"), std::string::npos);
    std::istringstream file(rows.body);
    EXPECT_EQ(SnapshotCatalog(&other).Import(file).info.digest, digest);
  }
}

TEST_F(SnapshotRoutesTest, ThatAreNotThereOrTooLargeAreTold) {
  Start();
  for (const char* name :
       {"7", "nobody", "0123456789abcdef", "%00", "%ff", "99999999999999999999"}) {
    EXPECT_EQ(Ask("ro", "GET", std::string("/admin/api/snapshots/") + name + "/export").status(),
              404)
        << name;
  }
  Sql("INSERT INTO rebound.snapshots (digest, rows) VALUES (repeat('ab', 32), 1000000), "
      "(repeat('ab', 31) || 'cd', 0)");
  const Answer large = Ask("ro", "GET", "/admin/api/snapshots/1/export");
  EXPECT_EQ(large.status(), 413);
  EXPECT_EQ(large.Text("error"),
            "snapshot 1 (1000000 rows) is larger than the 64 MiB of an answer: rebound-labels "
            "snapshot export 1 FILE writes it");
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/snapshots/abababab/export").status(), 409);
}

TEST_F(SnapshotRoutesTest, OneThatTakesLongGoesOnAndTellsWhenItIsMade) {
  submit_limit_ = std::chrono::milliseconds(300);
  Start();
  PostgresConnection other(uri_);
  other.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("LOCK TABLE rebound.snapshots IN ACCESS EXCLUSIVE MODE");
    const Answer begun = Ask("ro", "POST", "/admin/api/export");
    EXPECT_EQ(begun.status(), 202) << begun.response.body;
    EXPECT_TRUE(GetJsonBool(begun.json, "running"));
    EXPECT_NE(begun.Text("started_at"), "");
    const Answer second = Ask("rita", "POST", "/admin/api/export");
    EXPECT_EQ(second.status(), 409);
    EXPECT_EQ(second.Text("error"),
              "a snapshot is being made already: GET /admin/api/export tells of it");
    EXPECT_TRUE(GetJsonBool(Ask("ro", "GET", "/admin/api/export").json, "running"));
  });
  const auto is_made = [&] {
    return !GetJsonBool(Ask("ro", "GET", "/admin/api/export").json, "running");
  };
  for (const auto end = Clock::now() + std::chrono::seconds(20); Clock::now() < end;) {
    if (is_made()) break;
    std::this_thread::yield();
  }
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/export").Int("count"), 0);
  EXPECT_EQ(GetJson(Ask("ro", "GET", "/admin/api/snapshots").json, "snapshots").Size(), 1U);
}

TEST_F(SnapshotRoutesTest, ALoginWithTheThreeGroupsNeedsNoMore) {
  PostgresConnection owner(uri_);
  GrantRoles(&owner);
  Sql("CREATE ROLE serves_all IN ROLE rebound_server, rebound_reviewer, rebound_trainer");
  uri_ += "&options=-crole%3Dserves_all";
  Start();
  EXPECT_EQ(Make().Int("count"), 1);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/snapshots/1/export").status(), 200);
  EXPECT_EQ(Ask("ro", "PATCH", "/admin/api/settings", R"({"overlap":2})").status(), 200);
  EXPECT_EQ(Ask("ro", "POST", "/admin/api/proposals/undo").Int("updated"), 1);
  for (const char* route : {"agreement", "contributors", "quarantine", "stats",
                            "proposals/1/history", "proposals/1/cluster"}) {
    EXPECT_EQ(Ask("ro", "GET", std::string("/admin/api/") + route).status(), 200) << route;
  }
}

TEST_F(SnapshotRoutesTest, ARightThatIsMissingIsNamedToAdminsAlone) {
  PostgresConnection owner(uri_);
  GrantRoles(&owner);
  uri_ += "&options=-crole%3Drebound_server";
  Start();
  const int64_t id = Proposed("550 a");
  const Answer decided = Ask("ro", "PATCH", Path(id), R"({"status":"approved"})");
  EXPECT_EQ(decided.status(), 503);
  EXPECT_EQ(decided.Text("error"),
            "the server's user of the label store lacks a right (permission denied for table "
            "review_labels): give its login the groups that docs/label-store.md names "
            "(rebound-labels roles)");
  const Answer made = Ask("ro", "POST", "/admin/api/export");
  EXPECT_EQ(made.status(), 503);
  EXPECT_NE(made.Text("error").find("(permission denied for "), std::string::npos);
  EXPECT_EQ(Ask("ro", "GET", "/admin/api/export").Text("problem"), made.Text("error"));
  EXPECT_EQ(Own("jo"), std::vector<std::string>({"550 a"})) << "which it may";
}

}  // namespace
}  // namespace rebound::test
