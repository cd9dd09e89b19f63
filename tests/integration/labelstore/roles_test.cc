// What each role can do, and above all what it cannot.
#include "labelstore/roles.h"

#include <gtest/gtest.h>

#include "contributions.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/model_registry.h"
#include "labelstore/reviews.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

class Roles : public testing::Test {
 protected:
  Roles() {
    PostgresConnection owner(uri_);
    GrantRoles(&owner);
    GrantRoles(&owner);  // again changes nothing
    OpenProposalStore(uri_)->Propose({Proposes("550 unknown", "user_unknown")});
  }

  std::string As(const std::string& role) const { return uri_ + "&options=-crole%3D" + role; }

  testing::AssertionResult Refuses(const std::string& role, const std::string& statement) {
    const std::string error = ErrorOf([&] {
      PostgresConnection(As(role)).Transact(SqlIsolation::kReadCommitted,
                                            [&](SqlTransaction& sql) { sql.Execute(statement); });
    });
    if (error.find("permission denied") != std::string::npos ||
        error.find("must be owner") != std::string::npos) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << role << " may: " << statement << " (" << error << ")";
  }

  const std::string uri_ = test::SharedCluster().NewStore();
};

TEST_F(Roles, TheServerProposesAndReadsAndDecidesNothing) {
  const auto store = OpenProposalStore(As("rebound_server"));
  const auto made =
      store->Propose({Proposes("550 no", "unknown"), Proposes("550 unknown", "unknown")},
                     {.idempotency_key = "k"});
  EXPECT_EQ(made.items[0].outcome, ProposeOutcome::kInserted);
  EXPECT_EQ(made.items[1].outcome, ProposeOutcome::kRelabelled);
  EXPECT_EQ(store->List({}).total, 2);
  EXPECT_EQ(store->Count().by_status.at("pending"), 2);
  for (const char* statement :
       {"INSERT INTO rebound.messages (text) VALUES ('x')", "SELECT text FROM rebound.messages",
        "INSERT INTO rebound.message_labels (message_id) VALUES (1)",
        "INSERT INTO rebound.reviews (proposal_id) VALUES (1)",
        "UPDATE rebound.contributors SET agreed = 1000", "DELETE FROM rebound.proposals",
        "UPDATE rebound.proposal_labels SET decided_label_id = 1",
        "INSERT INTO rebound.audit (actor) VALUES ('x')", "SELECT * FROM rebound.audit",
        "INSERT INTO rebound.models (version) VALUES (1)",
        "INSERT INTO rebound.promotions (version) VALUES (1)",
        "INSERT INTO rebound.bundles (version) VALUES (1)", "DELETE FROM rebound.bundle_files",
        "UPDATE rebound.must_pass SET removed_by = 'x'",
        "UPDATE rebound.review_settings SET overlap = 1", "DROP TABLE rebound.proposals",
        "CREATE TABLE rebound.mine (id int)"}) {
    EXPECT_TRUE(Refuses("rebound_server", statement));
  }
  EXPECT_TRUE(Holds(ErrorOf([&] {
                      ReviewRequest request;
                      request.proposals = {1};
                      request.reviewer = "server";
                      request.decision = ReviewDecision::kAccept;
                      OpenReviewDesk(As("rebound_server"))->Decide(request);
                    }),
                    "permission denied"));
}

TEST_F(Roles, ThePromoterUploadsAndPromotesAndNothingElse) {
  for (const char* statement :
       {"SELECT text FROM rebound.messages", "SELECT * FROM rebound.proposals",
        "INSERT INTO rebound.training_runs (seed) VALUES (1)", "DELETE FROM rebound.bundle_files",
        "UPDATE rebound.promotions SET reason = ''", "SELECT * FROM rebound.audit",
        "INSERT INTO rebound.must_pass (text) VALUES ('x')"}) {
    EXPECT_TRUE(Refuses("rebound_promoter", statement));
  }
  EXPECT_TRUE(ModelRegistry(As("rebound_promoter")).MayPromote());
  EXPECT_TRUE(ModelRegistry(As("rebound_trainer")).MayPromote());
  EXPECT_FALSE(ModelRegistry(As("rebound_server")).MayPromote());
}

TEST_F(Roles, TheServerSetsAPoisoningKeyAside) {
  ProposalStoreOptions options;
  options.rules.flood_per_hour = 1;
  const auto store = OpenProposalStore(As("rebound_server"), options);
  EXPECT_EQ(store->Propose({Proposes("550 no", "unknown", "key-f")}).items[0].status,
            ProposalStatus::kQuarantined);
}

TEST_F(Roles, TheTrainerFreezesReadsAndRecordsRuns) {
  const auto labels = OpenLabelStore(As("rebound_trainer"));
  TrainingRun run;
  run.snapshot_id = labels->MakeSnapshot().id;
  run.id = labels->StartRun(run);
  run.status = "not_promoted";
  labels->FinishRun(run);
  labels->RegisterModel(Task::kBnac, 1, "ab", run.id);
  labels->RecordPromotion(Task::kBnac, 1);
  labels->ReadSnapshot(run.snapshot_id, [](const SnapshotRow&) {});
  PostgresConnection(As("rebound_trainer"))
      .Transact(SqlIsolation::kReadCommitted, [](SqlTransaction& sql) {
        sql.Execute("INSERT INTO rebound.snapshot_names (name, snapshot_id) VALUES ('spring', 1)");
        sql.Execute("DELETE FROM rebound.bundle_files");
      });
  for (const char* statement :
       {"INSERT INTO rebound.message_labels (message_id) VALUES (1)",
        "UPDATE rebound.messages SET text = 'x'", "DELETE FROM rebound.message_labels",
        "INSERT INTO rebound.proposals (text_id) VALUES (1)",
        "UPDATE rebound.proposals SET status = 'approved'",
        "INSERT INTO rebound.reviews (proposal_id) VALUES (1)", "DELETE FROM rebound.training_runs",
        "INSERT INTO rebound.must_pass (text) VALUES ('x')",
        "UPDATE rebound.models SET version = 2", "DELETE FROM rebound.audit",
        "UPDATE rebound.training_runs SET seed = 1"}) {
    EXPECT_TRUE(Refuses("rebound_trainer", statement));
  }
}

TEST_F(Roles, TheReviewerDecidesAndCannotRewriteWhatHappened) {
  const auto desk = OpenReviewDesk(As("rebound_reviewer"));
  ReviewRequest request;
  request.proposals = {1};
  request.reviewer = "rita";
  request.decision = ReviewDecision::kAccept;
  request.whole_cluster = true;
  EXPECT_EQ(desk->Decide(request).proposals.at(0).status, ProposalStatus::kApproved);
  EXPECT_EQ(desk->Undo("rita").proposals.at(0).status, ProposalStatus::kPending);
  EXPECT_FALSE(desk->History(1).empty());
  desk->SetOverlap(2, "rita");
  for (const char* statement :
       {"DELETE FROM rebound.audit", "UPDATE rebound.audit SET actor = 'someone'",
        "INSERT INTO rebound.audit (actor) VALUES ('x')",
        "INSERT INTO rebound.vote_history (message_id) VALUES (1)", "DELETE FROM rebound.reviews",
        "UPDATE rebound.reviews SET reviewer = 'sam'", "DELETE FROM rebound.proposals",
        "UPDATE rebound.messages SET text = 'x'", "INSERT INTO rebound.models (version) VALUES (1)",
        "INSERT INTO rebound.snapshots (digest) VALUES ('x')",
        "ALTER TABLE rebound.audit DISABLE TRIGGER ALL"}) {
    EXPECT_TRUE(Refuses("rebound_reviewer", statement));
  }
}

TEST_F(Roles, ARightThatIsMissingIsTheOperatorsMatterAndNamesTheGrant) {
  try {
    OpenReviewDesk(As("rebound_server"))->SetOverlap(2, "rita");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable) << "it works once the right is there";
    EXPECT_TRUE(Holds(e.what(), "permission denied for table review_settings"));
    EXPECT_TRUE(Holds(e.what(), "grant the right (rebound-labels roles)"));
  }
}

TEST_F(Roles, NobodyRewritesTheAudit) {
  for (const char* statement : {"DELETE FROM rebound.audit", "UPDATE rebound.audit SET actor = 'x'",
                                "TRUNCATE rebound.audit"}) {
    EXPECT_TRUE(Holds(ErrorOf([&] {
                        PostgresConnection(uri_).Transact(
                            SqlIsolation::kReadCommitted,
                            [&](SqlTransaction& sql) { sql.Execute(statement); });
                      }),
                      "rows of rebound.audit are never changed or removed"));
  }
}

}  // namespace
}  // namespace rebound
