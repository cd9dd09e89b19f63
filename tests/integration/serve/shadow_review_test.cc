// A shadow's disagreements on their way to the reviewers, with a real PostgreSQL that comes and
// goes.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "labelstore/label_store.h"
#include "labelstore/proposals.h"
#include "labelstore/reviews.h"
#include "tests/api/serve/json_shape.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/support/postgres.h"

namespace rebound::test {
namespace {

using Clock = std::chrono::steady_clock;

class ShadowReviewTest : public testing::Test {
 protected:
  ShadowReviewTest() : uri_(SharedCluster().NewStore()) {
    BundleStore store(models_.path());
    for (const Task task : kTasks) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    TestBundle candidate;
    candidate.always = "DKIM";
    PublishTestBundle(&store, candidate);
    store.Promote(Task::kBnac, 1);
    store.SetShadow(Task::kBnac, 2);
    Start();
  }
  void Start() {
    Served::Options options;
    options.models = models_.path();
    options.api.shadow = {1, 600};
    options.api.contributions.emplace();
    options.api.contributions->store = {uri_, std::chrono::milliseconds(500)};
    options.api.contributions->spool.folder = folder_.path() / "spool";
    served_.reset();
    served_ = std::make_unique<Served>(options);
  }
  void Classify(const std::string& text) {
    std::string body;
    JsonWriter(&body).Object([&](JsonWriter& w) { w.Key("message").String(text); });
    EXPECT_EQ(served_->Ask("POST", "/v2/bnac", body).status, 200);
  }
  double Metric(const std::string& name, const std::map<std::string, std::string>& labels = {}) {
    return ReadMetricsPage(served_->Ask("GET", "/metrics").body).Value(name, labels);
  }
  // Until the counter says so; false where it never does.
  bool Eventually(const std::function<bool()>& holds) {
    for (const auto end = Clock::now() + std::chrono::seconds(20); Clock::now() < end;) {
      if (holds()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  bool EventuallyStored(int64_t count) {
    return Eventually([&] { return List().total == count; });
  }
  ProposalPage List() { return OpenProposalStore(uri_)->List({.source = "shadow"}); }

  std::string uri_;
  TempFolder models_;
  TempFolder folder_;
  std::unique_ptr<Served> served_;
};

TEST_F(ShadowReviewTest, ADisagreementReachesTheQueueMaskedOnceWithBothAnswers) {
  for (const char* name : {"jane", "bob", "ann"}) {
    Classify("550 5.1.1 <" + std::string(name) + "@example.org>: user unknown in this house");
  }
  Classify("550 dkim did not verify");  // both say the same
  served_->api().shadow().Settle();
  EXPECT_EQ(Metric("rebound_shadow_compared_total", {{"task", "bnac"}}), 4);
  ASSERT_TRUE(EventuallyStored(1));
  const ProposalView view = List().proposals[0];
  EXPECT_EQ(view.text, "550 5.1.1 <__email__>: user unknown in this house");
  EXPECT_EQ(view.contributor, "shadow:bnac:2");
  EXPECT_EQ(view.status, ProposalStatus::kPending);
  EXPECT_EQ(view.labels[Index(Task::kBnac)], FindLabel(Task::kBnac, "DKIM"));
  ASSERT_TRUE(view.model[Index(Task::kBnac)].has_value());
  EXPECT_EQ(view.model[Index(Task::kBnac)]->label, FindLabel(Task::kBnac, "RECIPIENT_NOT_FOUND"));
  EXPECT_EQ(view.model[Index(Task::kBnac)]->version, 1);
  EXPECT_GT(view.suspicion, 0.5);
  EXPECT_EQ(Metric("rebound_shadow_reviews_total", {{"task", "bnac"}, {"outcome", "repeated"}}), 2);
  // A reviewer sees both, in the shape that is described.
  const JsonDocument page = ParseJson(served_->Ask("GET", "/admin/api/proposals").body);
  const JsonValue& proposal = GetJson(page, "proposals")[0];
  const JsonValue& shadow = GetJson(proposal, "shadow");
  EXPECT_EQ(GetJsonString(shadow, "task"), "bnac");
  EXPECT_EQ(GetJsonString(GetJson(shadow, "candidate"), "label"), "DKIM");
  EXPECT_EQ(GetJsonInt(GetJson(shadow, "candidate"), "version"), 2);
  EXPECT_EQ(GetJsonString(GetJson(shadow, "incumbent"), "label"), "RECIPIENT_NOT_FOUND");
  EXPECT_EQ(GetJsonInt(GetJson(shadow, "incumbent"), "version"), 1);
  const JsonDocument document = ParseJson(served_->Ask("GET", "/openapi.json").body);
  const JsonValue& schemas = GetJson(GetJson(document, "components"), "schemas");
  EXPECT_EQ(ShapeProblem(document, GetJson(schemas, "ReviewedProposal"), proposal), "");
  // It trains nothing until somebody decides.
  EXPECT_EQ(OpenLabelStore(uri_)->MakeSnapshot().rows, 0);
  EXPECT_EQ(served_
                ->Ask("PATCH", "/admin/api/proposals/" + std::to_string(view.id),
                      R"({"status":"approved"})")
                .status,
            200);
  EXPECT_EQ(OpenLabelStore(uri_)->MakeSnapshot().rows, 1);
}

TEST_F(ShadowReviewTest, AServerThatBeginsAnewSendsNoTemplateASecondTime) {
  const std::string text = "550 5.7.1 your message was refused as unknown by our site, see code ";
  Classify(text + "alpha");
  ASSERT_TRUE(EventuallyStored(1));
  Start();
  Classify(text + "beta");
  served_->api().shadow().Settle();
  const auto sent = [&] {
    return Metric("rebound_proposals_total", {{"outcome", "duplicate"}}) == 1;
  };
  ASSERT_TRUE(Eventually(sent));
  EXPECT_EQ(List().total, 1);
}

TEST_F(ShadowReviewTest, WithTheStoreAwayItWaitsInTheSpoolMaskedAndArrivesAsAShadows) {
  SharedCluster().Kill();
  Classify("550 5.1.1 <jane@example.org>: user unknown in this house");
  Classify("451 greylisting of bob@example.org, so come back later please");
  served_->api().shadow().Settle();
  EXPECT_TRUE(Eventually([&] { return Metric("rebound_spool_depth") == 2; }));
  EXPECT_EQ(ReadFile(folder_.path() / "spool" / "spool.sqlite-wal").find("jane"),
            std::string::npos);
  served_.reset();  // what waits outlives the server
  SharedCluster().Start();
  Start();
  ASSERT_TRUE(EventuallyStored(2));
  for (const ProposalView& view : List().proposals) {
    EXPECT_EQ(view.contributor, "shadow:bnac:2");
    EXPECT_GT(view.suspicion, 0.5);
    EXPECT_EQ(view.text.find("@"), std::string::npos) << view.text;
  }
}

}  // namespace
}  // namespace rebound::test
