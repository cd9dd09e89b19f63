// Promotion and roll-back over HTTP go through the registry, whole or not at all.
#include "base/json.h"
#include "serve/key_file.h"
#include "tests/api/serve/served.h"
#include "tests/integration/fleet/fleet_store.h"

namespace rebound::test {
namespace {

class PromoteTest : public FleetTest {
 protected:
  PromoteTest() {
    WriteFileDurably(folder_.path() / "keys", "ops admin,classify " + KeyField("k") + "\n");
  }
  Served& Start(const std::string& uri) {
    Served::Options options;
    options.models = replica_.root();
    options.api.contributions.emplace();
    options.api.contributions->store = {uri, std::chrono::milliseconds(500)};
    options.api.contributions->spool.folder = folder_.path() / "spool";
    options.api.gate.keys.file = folder_.path() / "keys";
    served_.reset();
    served_ = std::make_unique<Served>(options);
    return *served_;
  }
  // Here alone, as `rebound-train --registry off` leaves it.
  int PublishHere(const std::string& always, bool promote) {
    TestBundle bundle;
    bundle.always = always;
    const int version = replica_.Publish(MakeTestDraft(bundle)->draft);
    if (promote) replica_.Promote(Task::kBnac, version);
    return version;
  }
  struct Answer {
    int status;
    std::string body;
    std::string detail;
  };
  Answer Ask(const std::string& what, const std::string& body) {
    const Response response =
        served_->Ask("POST", "/v3/models/bnac/" + what, body, {{"x-api-key", "k"}});
    Answer answer{response.status, response.body, ""};
    if (response.status != 200) answer.detail = GetJsonString(ParseJson(response.body), "detail");
    return answer;
  }
  Answer Promote(int version) {
    return Ask("promote", R"({"version":)" + std::to_string(version) + R"(,"reason":"better"})");
  }
  Answer Rollback(const std::string& body = "") { return Ask("rollback", body); }
  int Serving() {
    const ModelSet models = served_->engine().Take();  // keeps it alive
    const Classifier* const model = models.Get(Task::kBnac);
    return model == nullptr ? 0 : model->config().version;
  }

  std::unique_ptr<Served> served_;
};

TEST_F(PromoteTest, APromotionIsRecordedWithWhoAndWhyAndWhatServedBeforeIsAdopted) {
  PublishHere("DKIM", true);
  PublishHere("SPF", false);
  Start(uri_);
  const Answer promoted = Promote(2);
  ASSERT_EQ(promoted.status, 200) << promoted.body;
  EXPECT_EQ(GetJsonInt(ParseJson(promoted.body), "version"), 2);
  EXPECT_EQ(GetJsonInt(ParseJson(promoted.body), "previous"), 1);
  EXPECT_EQ(Serving(), 2);
  const auto history = registry_.History(Task::kBnac);
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].version, 1);
  EXPECT_EQ(history[1].version, 2);
  EXPECT_EQ(history[1].by, "ops");
  EXPECT_EQ(history[1].reason, "better");
  EXPECT_TRUE(registry_.Find(Task::kBnac, 2)->stored) << "the fleet can fetch it";
  EXPECT_EQ(Promote(2).status, 200) << "once more changes nothing";
  EXPECT_EQ(registry_.History(Task::kBnac).size(), 2u);

  const Answer back = Rollback(R"({"reason":"worse"})");
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(GetJsonInt(ParseJson(back.body), "version"), 1);
  EXPECT_EQ(GetJsonInt(ParseJson(back.body), "previous"), 2);
  EXPECT_EQ(Serving(), 1);
  EXPECT_EQ(registry_.Current(Task::kBnac)->reason, "worse");
  EXPECT_TRUE(registry_.Current(Task::kBnac)->rollback);
  const Answer none = Rollback();
  EXPECT_EQ(none.status, 409);
  EXPECT_EQ(none.detail,
            "nothing served before version 1 of task 'bnac': there is nothing to go back to");
}

TEST_F(PromoteTest, AVersionThatIsNotHereIsFetched) {
  UploadAndPromote(Task::kBnac, "DKIM");
  Upload(Task::kBnac, "SPF");
  Start(uri_);
  EXPECT_EQ(Promote(2).status, 200);
  EXPECT_EQ(Serving(), 2);
  EXPECT_EQ(Rollback().status, 200);
  EXPECT_EQ(Serving(), 1) << "and so is what a roll-back goes to";
  const Answer none = Promote(9);
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.detail, "there is no version 9 of task 'bnac'");
}

TEST_F(PromoteTest, WithoutAHistoryThereIsNothingToGoBackTo) {
  PublishHere("DKIM", true);
  Start(uri_);
  const Answer none = Rollback("{}");
  EXPECT_EQ(none.status, 409);
  EXPECT_EQ(none.detail, "no version of task 'bnac' was promoted in the registry yet");
  EXPECT_EQ(Rollback(R"({"reason":7})").status, 422);
}

TEST_F(PromoteTest, WithTheDatabaseAwayNothingIsHalfDone) {
  PublishHere("DKIM", true);
  PublishHere("SPF", false);
  Start(uri_);
  SharedCluster().Kill();
  for (const Answer& answer : {Promote(2), Rollback()}) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.detail,
              "nothing was changed: the label store cannot be had at this moment; try again later");
  }
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  EXPECT_EQ(Serving(), 1);
  SharedCluster().Start();
  EXPECT_EQ(Promote(2).status, 200);
}

TEST_F(PromoteTest, TheServersOwnRoleDoesNotPromoteAndTheRefusalNamesTheGrant) {
  PublishHere("DKIM", true);
  PublishHere("SPF", false);
  Start(LoginOf("rebound_server"));
  for (const Answer& answer : {Promote(2), Rollback()}) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.detail,
              "this server's login at the label store may not promote: an operator grants it "
              "rebound_promoter (rebound-labels roles makes the role), or promotes with "
              "rebound-labels promote");
  }
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  EXPECT_TRUE(registry_.Versions(Task::kBnac).empty()) << "nothing was uploaded";
  Start(LoginOf("rebound_server, rebound_promoter"));
  EXPECT_EQ(Promote(2).status, 200);
  EXPECT_EQ(Rollback().status, 200);
}

TEST_F(PromoteTest, ADatabaseWithoutTheSchemaIsToldFromOneThatIsAway) {
  PublishHere("DKIM", true);
  Start(SharedCluster().NewDatabase());
  const Answer answer = Promote(1);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.detail,
            "nothing was changed: the label store lacks its schema, or a part of it; an operator "
            "runs rebound-labels migrate");
}

TEST_F(PromoteTest, OtherContentUnderTheNumberIsAConflictAndNothingIsChanged) {
  PublishHere("DKIM", true);
  PublishHere("SPF", false);
  Upload(Task::kBnac, "TLS");
  Upload(Task::kBnac, "VIRUS");
  Start(uri_);
  const Answer answer = Promote(2);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.detail,
            "it is not the registry's: bnac/000002 holds another bundle: move it away to take "
            "this one");
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  EXPECT_TRUE(registry_.History(Task::kBnac).empty());
}

TEST_F(PromoteTest, ABundleThatDoesNotVerifyIsNeitherUploadedNorPromoted) {
  PublishHere("DKIM", true);
  PublishHere("SPF", false);
  WriteFileDurably(replica_.BundleFolder(Task::kBnac, 2) / "golden.jsonl", "{}");
  Start(uri_);
  const Answer answer = Promote(2);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body.find(folder_.path().string()), std::string::npos) << answer.body;
  EXPECT_TRUE(registry_.Versions(Task::kBnac).empty());
}

}  // namespace
}  // namespace rebound::test
