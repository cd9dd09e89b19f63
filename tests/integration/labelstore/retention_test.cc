// What is old is forgotten, who asks for it is erased, and nothing comes twice for that.
#include "labelstore/retention.h"

#include <gtest/gtest.h>

#include "contributions.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/reviews.h"
#include "labelstore/snapshots.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

class Retained : public testing::Test {
 protected:
  std::string Ask(const std::string& query) const { return Column(uri_, query); }
  void Change(const std::string& script) {
    connection_.Transact(SqlIsolation::kReadCommitted,
                         [&](SqlTransaction& sql) { sql.ExecuteScript(script); });
  }
  // As if everything had happened so long ago.
  void Age(int days) {
    const std::string ago = "now() - interval '" + std::to_string(days) + " days'";
    Change("UPDATE rebound.proposals SET changed_at = " + ago +
           ", decided_at = CASE WHEN decided_at IS NULL THEN NULL ELSE " + ago +
           " END; UPDATE rebound.deliveries SET received_at = " + ago +
           "; UPDATE rebound.idempotency_keys SET created_at = " + ago +
           "; UPDATE rebound.training_runs SET finished_at = " + ago);
  }
  void Decide(std::vector<int64_t> ids, ReviewDecision decision) {
    ReviewRequest request;
    request.proposals = std::move(ids);
    request.reviewer = "rita";
    request.decision = decision;
    OpenReviewDesk(uri_)->Decide(request);
  }
  Retention Forget(int64_t days, bool dry_run = false) {
    RetentionRules rules;
    rules.days = days;
    rules.by = "admin";
    rules.dry_run = dry_run;
    return RetainStore(&connection_, rules);
  }
  static Proposal Delivered(std::string text, std::string_view label, const std::string& name) {
    Proposal proposal = Proposes(std::move(text), label);
    proposal.delivery_id = MakeDeliveryId(name);
    return proposal;
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  PostgresConnection connection_{uri_};
  const std::unique_ptr<ProposalStore> store_ = OpenProposalStore(uri_);
};

TEST_F(Retained, WhatIsOldAndTrainsNothingIsForgotten) {
  store_->Propose({Proposes("550 a b", "unknown"), Proposes("550 c d", "unknown"),
                   Proposes("550 e f", "unknown")},
                  {.idempotency_key = "k"});
  Decide({1}, ReviewDecision::kAccept);
  Decide({2}, ReviewDecision::kReject);
  EXPECT_EQ(Forget(30).proposals, 0) << "all is young";
  Age(40);
  const Retention counted = Forget(30, true);
  EXPECT_EQ(counted.proposals, 1);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "3") << "a dry run";
  const Retention removed = Forget(30);
  EXPECT_EQ(removed.proposals, counted.proposals);
  EXPECT_EQ(removed.texts, 1);
  EXPECT_EQ(removed.texts, counted.texts);
  EXPECT_EQ(removed.clusters, 1);
  EXPECT_EQ(removed.clusters, counted.clusters);
  EXPECT_EQ(removed.idempotency_keys, 1);
  EXPECT_EQ(removed.idempotency_keys, counted.idempotency_keys);
  EXPECT_EQ(Ask("SELECT status FROM rebound.proposals ORDER BY id"), "approved\npending");
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.contributed_texts WHERE text = '550 c d'"), "0");
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.clusters WHERE text = '550 c d'"), "0");
  // Who was wrong stays known, and so does what happened.
  EXPECT_EQ(Ask("SELECT disagreed FROM rebound.contributors WHERE name = 'key-a'"), "1");
  EXPECT_EQ(Ask("SELECT actor FROM rebound.audit WHERE entity = 'proposals' "
                "AND action = 'delete'"),
            "admin");
  EXPECT_EQ(OpenLabelStore(uri_)->MakeSnapshot().rows, 1);
  EXPECT_EQ(Forget(30).proposals, 0);
  EXPECT_EQ(ErrorOf([&] { Forget(0); }), "invalid_argument: keep at least one day");
}

// The text of a rejected proposal used to stay as the one that its cluster shows.
TEST_F(Retained, AForgottenTextLeadsItsClusterNoMore) {
  const std::string words = "550 5.7.1 one two three four five six seven eight nine ten";
  store_->Propose({Proposes(words + " eleven twelve first", "unknown", "key-a"),
                   Proposes(words + " eleven twelve second", "unknown", "key-b")});
  ASSERT_EQ(Ask("SELECT count(*) FROM rebound.clusters"), "1");
  Decide({1}, ReviewDecision::kReject);
  Age(40);
  EXPECT_EQ(Forget(30).texts, 1);
  EXPECT_EQ(Ask("SELECT text FROM rebound.clusters"), words + " eleven twelve second");
  // And a near copy of the new one still finds it.
  store_->Propose({Proposes(words + " eleven twelve third", "unknown", "key-c")});
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.clusters"), "1");
}

TEST_F(Retained, ATextThatSomebodyElseProposedStays) {
  store_->Propose(
      {Proposes("550 a b", "unknown", "key-a"), Proposes("550 a b", "unknown", "key-b")});
  Decide({1}, ReviewDecision::kReject);
  Age(40);
  const Retention counted = Forget(30, true), removed = Forget(30);
  EXPECT_EQ(removed.proposals, 1);
  EXPECT_EQ(removed.texts, 0);
  EXPECT_EQ(counted.texts, 0);
  EXPECT_EQ(Ask("SELECT text FROM rebound.contributed_texts"), "550 a b");
}

// A server that died between the store's commit and its own has the entry in its spool still, and
// delivers it when it starts again: weeks later, after the proposal was rejected and forgotten.
TEST_F(Retained, WhatASpoolDeliversLateIsNotStoredASecondTime) {
  const std::vector<Proposal> entry = {Delivered("550 a b", "unknown", "spool/1"),
                                       Delivered("550 c d", "unknown", "spool/2")};
  store_->Propose(entry, {.acknowledged = true});
  Decide({1}, ReviewDecision::kReject);
  Decide({2}, ReviewDecision::kAccept);
  Age(static_cast<int>(kDeliveryDays) - 1);
  const Retention removed = Forget(1);
  EXPECT_EQ(removed.proposals, 1);
  EXPECT_EQ(removed.deliveries, 0);

  const ProposeResult again = store_->Propose(entry, {.acknowledged = true});
  EXPECT_EQ(again.items.at(0).id, 1);
  EXPECT_EQ(again.items.at(0).outcome, ProposeOutcome::kInserted) << "the answer that it got";
  EXPECT_EQ(again.items.at(1).status, ProposalStatus::kApproved);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "1");
  EXPECT_EQ(Ask("SELECT text FROM rebound.contributed_texts"), "550 c d");
}

TEST_F(Retained, DeliveryIdsGoOnceNoSpoolCanHoldThem) {
  store_->Propose({Delivered("550 a b", "unknown", "spool/1")});
  Age(static_cast<int>(kDeliveryDays) + 1);
  EXPECT_EQ(Forget(365).deliveries, 0) << "more was asked for";
  EXPECT_EQ(Forget(1, true).deliveries, 1);
  EXPECT_EQ(Forget(1).deliveries, 1);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "1");
}

TEST_F(Retained, FailedRunsGoAndRunsThatMadeAModelStay) {
  const auto labels = OpenLabelStore(uri_);
  TrainingRun run;
  run.snapshot_id = labels->MakeSnapshot().id;
  for (const std::string status : {"failed", "failed", "not_promoted"}) {
    run.id = labels->StartRun(run);
    run.status = status;
    labels->FinishRun(run);
  }
  labels->RegisterModel(Task::kBnac, 1, "ab", 2);  // published, then it failed
  Age(40);
  EXPECT_EQ(Forget(30, true).runs, 1);
  EXPECT_EQ(Forget(30).runs, 1);
  EXPECT_EQ(Ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM rebound.training_runs"), "2,3");
}

TEST_F(Retained, ManyAreForgottenInBlocksThatTellHowFarTheyAre) {
  Change(
      "INSERT INTO rebound.contributors (name) VALUES ('key-a');"
      "INSERT INTO rebound.clusters (text, normaliser_version) "
      "  SELECT 'w' || i, 2 FROM generate_series(1, 4500) i;"
      "INSERT INTO rebound.contributed_texts (text, digest, normaliser_version, split_group, "
      "  cluster_id) SELECT text, sha256(text::bytea), 2, 'g', id FROM rebound.clusters;"
      "INSERT INTO rebound.proposals (text_id, contributor, status, decided_at) "
      "  SELECT id, 'key-a', 'rejected', now() FROM rebound.contributed_texts;");
  Age(40);
  std::vector<int64_t> told;
  RetentionRules rules;
  rules.days = 30;
  rules.by = "admin";
  rules.on_progress = [&](int64_t rows) { told.push_back(rows); };
  const Retention removed = RetainStore(&connection_, rules);
  EXPECT_EQ(removed.proposals, 4500);
  EXPECT_EQ(removed.clusters, 4500);
  EXPECT_EQ(told, (std::vector<int64_t>{6000, 12000, 13500}));
}

class Erased : public Retained {
 protected:
  Erasure Erase(const std::string& name, bool dry_run = false) {
    return EraseContributor(&connection_, name, "admin", dry_run);
  }
  std::string Texts() {
    return Ask(
        "SELECT text FROM rebound.messages UNION ALL SELECT text FROM "
        "rebound.contributed_texts UNION ALL SELECT text FROM rebound.clusters "
        "ORDER BY 1");
  }
  static Submission Says(std::string text, const std::string& who, LabelOrigin origin) {
    Submission submission;
    submission.text = std::move(text);
    submission.contributor = who;
    submission.origin = origin;
    submission.labels[0] = 1;
    return submission;
  }
};

TEST_F(Erased, NothingOfTheirsIsLeftAndNothingOfOthersGoes) {
  store_->Propose(
      {Proposes("550 mine alone", "unknown", "ann"), Proposes("550 of both", "unknown", "ann"),
       Proposes("550 mine pending", "unknown", "ann")},
      {.idempotency_key = "k"});
  store_->Propose(
      {Proposes("550 of both", "unknown", "bob"), Proposes("550 of bob", "unknown", "bob")});
  Decide({1, 2, 4, 5}, ReviewDecision::kAccept);
  OpenLabelStore(uri_)->Submit({Says("550 mine imported", "ann", LabelOrigin::kContribution),
                                Says("550 of the corpus", "seed", LabelOrigin::kSeed),
                                Says("550 of the corpus", "ann", LabelOrigin::kContribution)});
  const Erasure counted = Erase("ann", true);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "5") << "a dry run";

  const Erasure erased = Erase("ann");
  EXPECT_EQ(erased.proposals, 3);
  EXPECT_EQ(erased.votes, 3) << "two imported, and the review of what was theirs alone";
  EXPECT_EQ(erased.texts, 2);
  EXPECT_EQ(erased.messages, 2);
  EXPECT_EQ(erased.frozen, 0);
  EXPECT_EQ(counted.proposals, erased.proposals);
  EXPECT_EQ(counted.messages, erased.messages);
  EXPECT_EQ(Texts().find("mine"), std::string::npos) << Texts();
  EXPECT_EQ(Ask("SELECT text FROM rebound.messages ORDER BY text"),
            "550 of bob\n550 of both\n550 of the corpus");
  EXPECT_EQ(Ask("SELECT DISTINCT contributor FROM rebound.message_labels ORDER BY 1"),
            "review:rita\nseed");
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.idempotency_keys"), "0");
  EXPECT_EQ(OpenLabelStore(uri_)->MakeSnapshot().rows, 3);
}

TEST_F(Erased, WhatASnapshotHoldsStaysMaskedAndTrainsNoLaterModel) {
  store_->Propose({Proposes("550 mine", "unknown", "ann")});
  Decide({1}, ReviewDecision::kAccept);
  const auto labels = OpenLabelStore(uri_);
  const SnapshotInfo frozen = labels->MakeSnapshot();
  const Erasure erased = Erase("ann");
  EXPECT_EQ(erased.messages, 0);
  EXPECT_EQ(erased.frozen, 1);
  int64_t rows = 0;
  labels->ReadSnapshot(frozen.id, [&](const SnapshotRow& row) { rows += row.text == "550 mine"; });
  EXPECT_EQ(rows, 1) << "a snapshot never changes";
  EXPECT_EQ(labels->MakeSnapshot().rows, 0);
}

TEST_F(Erased, TheirRecordStaysAndADeliveryThatComesLateStoresNothing) {
  ProposalStoreOptions options;
  options.rules.flood_per_hour = 1;
  const auto store = OpenProposalStore(uri_, options);
  Proposal late = Proposes("550 mine", "unknown", "ann");
  late.delivery_id = MakeDeliveryId("spool/1");
  store->Propose({late});
  ASSERT_EQ(Ask("SELECT held_reason FROM rebound.contributors"), "flood");
  Erase("ann");
  EXPECT_EQ(Ask("SELECT held_reason FROM rebound.contributors"), "flood");
  EXPECT_EQ(Ask("SELECT actor || ' ' || entity_id || ' ' || (after ->> 'erased_proposals') "
                "FROM rebound.audit WHERE after ? 'erased_proposals'"),
            "admin ann 1");
  store->Propose({late}, {.acknowledged = true});
  EXPECT_EQ(Texts(), "");
}

TEST_F(Erased, SomebodyUnknownIsNotFound) {
  EXPECT_EQ(ErrorOf([&] { Erase("nobody"); }),
            "not_found: the store knows no contributor 'nobody': rebound-labels review "
            "contributors lists them");
}

TEST_F(Erased, AMessageIsRemovedInNoOtherWay) {
  store_->Propose({Proposes("550 mine", "unknown", "ann")});
  Decide({1}, ReviewDecision::kAccept);
  EXPECT_TRUE(Holds(ErrorOf([&] { Change("DELETE FROM rebound.messages"); }),
                    "rows of rebound.messages are never changed or removed"));
}

}  // namespace
}  // namespace rebound
