// Reviews over PostgreSQL: what is decided becomes a vote, and what is taken back goes.
#include "labelstore/reviews.h"

#include <gtest/gtest.h>

#include "contributions.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using enum ProposalStatus;

class Reviews : public testing::Test {
 protected:
  int64_t Propose(const Proposal& proposal) { return store_->Propose({proposal}).items.at(0).id; }

  ReviewRequest Of(std::vector<int64_t> ids, ReviewDecision decision,
                   const std::string& reviewer = "rita") {
    ReviewRequest request;
    request.proposals = std::move(ids);
    request.reviewer = reviewer;
    request.decision = decision;
    return request;
  }
  ReviewRequest Relabel(int64_t id, std::string_view label, const std::string& reviewer = "rita") {
    ReviewRequest request = Of({id}, ReviewDecision::kRelabel, reviewer);
    request.labels[Index(Task::kAction)] = LabelOf(Task::kAction, label);
    return request;
  }
  ProposalStatus Decide(const ReviewRequest& request) {
    return desk_->Decide(request).proposals.at(0).status;
  }
  ProposalStatus Accept(int64_t id, const std::string& reviewer = "rita") {
    return Decide(Of({id}, ReviewDecision::kAccept, reviewer));
  }
  ProposalStatus Reject(int64_t id, const std::string& reviewer = "rita") {
    return Decide(Of({id}, ReviewDecision::kReject, reviewer));
  }
  ProposalStatus StatusOf(int64_t id) { return store_->Find(id)->status; }

  // "text: label (origin)" of what training would see, one a line.
  std::string Training() {
    const auto labels = OpenLabelStore(uri_);
    std::string lines;
    labels->ReadSnapshot(labels->MakeSnapshot().id, [&](const SnapshotRow& row) {
      const int16_t label = row.labels[Index(Task::kAction)];
      if (!lines.empty()) lines += "\n";
      lines += row.text + ": " +
               std::string(TaskLabels(Task::kAction)[static_cast<size_t>(label)]) +
               (row.origin == LabelOrigin::kReview ? " (review)" : "");
    });
    return lines;
  }
  std::string Ask(const std::string& query) { return Column(uri_, query); }

  const std::string uri_ = test::SharedCluster().NewStore();
  std::unique_ptr<ProposalStore> store_ = OpenProposalStore(uri_);
  std::unique_ptr<ReviewDesk> desk_ = OpenReviewDesk(uri_);
};

TEST_F(Reviews, AnAcceptedProposalBecomesALabelOfOriginReview) {
  const int64_t id = Propose(Proposes("550 5.1.1 <a@b.example> unknown", "user_unknown"));
  EXPECT_EQ(Training(), "");
  EXPECT_EQ(Accept(id), kApproved);
  EXPECT_EQ(Training(), "550 5.1.1 <__email__> unknown: user_unknown (review)");
  const auto view = store_->Find(id);
  EXPECT_EQ(view->decided, view->labels);
  EXPECT_NE(view->decided_at, "");
  EXPECT_TRUE(view->trained);
}

TEST_F(Reviews, ARelabelledOneGetsTheReviewersLabelAndARejectedOneNone) {
  const int64_t wrong = Propose(Proposes("550 mailbox full", "user_unknown"));
  const int64_t useless = Propose(Proposes("550 asdf", "user_unknown"));
  EXPECT_EQ(Decide(Relabel(wrong, "mailbox_full")), kApproved);
  EXPECT_EQ(Reject(useless), kRejected);
  EXPECT_EQ(Training(), "550 mailbox full: mailbox_full (review)");
}

TEST_F(Reviews, AReviewOutranksWhatWasImported) {
  Submission seed;
  seed.text = "550 mailbox full";
  seed.contributor = "seed";
  seed.origin = LabelOrigin::kSeed;
  seed.labels[Index(Task::kAction)] = LabelOf(Task::kAction, "user_unknown");
  OpenLabelStore(uri_)->Submit({seed});
  EXPECT_EQ(Training(), "550 mailbox full: user_unknown");
  const int64_t id = Propose(Proposes("550 mailbox full", "mailbox_full"));
  EXPECT_EQ(Training(), "550 mailbox full: user_unknown");
  Accept(id);
  EXPECT_EQ(Training(), "550 mailbox full: mailbox_full (review)");
  desk_->Undo("rita");
  EXPECT_EQ(Training(), "550 mailbox full: user_unknown");
}

TEST_F(Reviews, UndoTakesBackStatusVoteAndRecord) {
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  EXPECT_EQ(desk_->Contributors().at(0).agreed, 1);
  const ReviewResult undone = desk_->Undo("rita");
  ASSERT_EQ(undone.proposals.size(), 1u);
  EXPECT_EQ(undone.proposals[0].status, kPending);
  EXPECT_EQ(undone.proposals[0].decided, LabelChoice());
  EXPECT_EQ(undone.proposals[0].decided_at, "");
  EXPECT_EQ(Training(), "");
  EXPECT_EQ(desk_->Contributors().at(0).agreed, 0);
  EXPECT_EQ(desk_->Undo("rita").batch, 0);
  // The vote is gone, its trace is not.
  EXPECT_EQ(Ask("SELECT contributor FROM rebound.vote_history"), "review:rita");
}

TEST_F(Reviews, UndoBringsBackTheReviewersEarlierWord) {
  desk_->SetOverlap(2, "admin");
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  Reject(id);
  Reject(id, "sam");
  EXPECT_EQ(StatusOf(id), kRejected);
  desk_->Undo("rita");
  EXPECT_EQ(StatusOf(id), kDisputed) << "rita accepted, sam rejected";
  desk_->Undo("sam");
  EXPECT_EQ(StatusOf(id), kPending);
}

TEST_F(Reviews, TwoReviewersMustAgreeWhereTheOverlapIsTwo) {
  desk_->SetOverlap(2, "admin");
  EXPECT_EQ(desk_->Overlap(), 2u);
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  EXPECT_EQ(Accept(id), kPending);
  EXPECT_EQ(Training(), "");
  EXPECT_EQ(Accept(id), kPending) << "the same reviewer again is one voice";
  EXPECT_EQ(store_->List({.not_reviewed_by = "rita"}).total, 0);
  EXPECT_EQ(store_->List({.not_reviewed_by = "sam"}).total, 1);
  EXPECT_EQ(Accept(id, "sam"), kApproved);
  EXPECT_EQ(Ask("SELECT contributor FROM rebound.message_labels ORDER BY 1"),
            "review:rita\nreview:sam");
}

TEST_F(Reviews, WhereReviewersDisagreeSomeoneAdjudicates) {
  desk_->SetOverlap(2, "admin");
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  EXPECT_EQ(Decide(Relabel(id, "invalid_address", "sam")), kDisputed);
  EXPECT_EQ(store_->List({.status = kDisputed}).total, 1);
  ReviewRequest last = Relabel(id, "mailbox_disabled", "ada");
  last.adjudicate = true;
  EXPECT_EQ(Decide(last), kApproved);
  EXPECT_EQ(Training(), "550 unknown: mailbox_disabled (review)");
  EXPECT_EQ(Ask("SELECT contributor FROM rebound.message_labels"), "review:ada");
}

TEST_F(Reviews, ADecidedOneIsChangedByAdjudicationAlone) {
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  EXPECT_EQ(ErrorOf([&] { Reject(id, "sam"); }),
            "conflict: proposal " + std::to_string(id) +
                " is approved already: undo that, or adjudicate");
  ReviewRequest request = Of({id}, ReviewDecision::kReject, "sam");
  request.adjudicate = true;
  EXPECT_EQ(Decide(request), kRejected);
  EXPECT_EQ(Training(), "");
  EXPECT_EQ(desk_->Contributors().at(0).disagreed, 1);
  EXPECT_EQ(desk_->Contributors().at(0).agreed, 0);
}

TEST_F(Reviews, WrongRequestsAreRefusedAndChangeNothing) {
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  EXPECT_EQ(ErrorOf([&] { Accept(id + 7); }), "not_found: no proposal " + std::to_string(id + 7));
  EXPECT_EQ(ErrorOf([&] { Accept(id, ""); }), "invalid_argument: a review names its reviewer");
  EXPECT_EQ(ErrorOf([&] { desk_->Decide(Of({}, ReviewDecision::kAccept)); }),
            "invalid_argument: name the proposals to decide");
  EXPECT_EQ(ErrorOf([&] { Decide(Of({id}, ReviewDecision::kRelabel)); }),
            "invalid_argument: a relabel names the right labels");
  ReviewRequest labelled = Relabel(id, "unknown");
  labelled.decision = ReviewDecision::kAccept;
  EXPECT_EQ(ErrorOf([&] { Decide(labelled); }), "invalid_argument: labels belong to a relabel");
  EXPECT_EQ(ErrorOf([&] {
              desk_->Decide(Of({id, id + 7}, ReviewDecision::kAccept));
            }),
            "not_found: no proposal " + std::to_string(id + 7));
  EXPECT_EQ(StatusOf(id), kPending);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.reviews"), "0");
}

TEST_F(Reviews, OneDecisionServesAClusterAndIsTakenBackAsOne) {
  std::vector<Proposal> copies;
  const std::string text =
      "550 5.7.1 your message was refused by the policy of our site, see code ";
  for (size_t i = 0; i < 40; ++i) {
    copies.push_back(Proposes(text + WordOf(i), "policy_blocked", "key-" + WordOf(i % 3)));
  }
  copies.push_back(Proposes(text + "another label", "spam_blocked"));
  copies.push_back(Proposes("452 4.2.2 the mailbox is full", "policy_blocked"));
  const auto items = store_->Propose(copies).items;
  ReviewRequest request = Of({items[0].id}, ReviewDecision::kAccept);
  request.whole_cluster = true;
  EXPECT_EQ(desk_->Decide(request).proposals.size(), 40u);
  EXPECT_EQ(store_->List({.status = kApproved}).total, 40);
  EXPECT_EQ(StatusOf(items[40].id), kPending) << "another label is another decision";
  EXPECT_EQ(StatusOf(items[41].id), kPending);
  EXPECT_EQ(desk_->Undo("rita").proposals.size(), 40u);
  EXPECT_EQ(store_->List({.status = kPending}).total, 42);
}

TEST_F(Reviews, AChangedLabelNeedsNewReviews) {
  desk_->SetOverlap(2, "admin");
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  EXPECT_EQ(Propose(Proposes("550 unknown", "invalid_address")), id);
  EXPECT_EQ(Accept(id, "sam"), kPending) << "rita accepted another label";
}

TEST_F(Reviews, ADecidedLabelIsNotErasedByProposingAnother) {
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Accept(id);
  const Proposed again = store_->Propose({Proposes("550 unknown", "user_unknown")}).items[0];
  EXPECT_EQ(again.outcome, ProposeOutcome::kDuplicate);
  EXPECT_EQ(again.status, kApproved);
  const Proposed other = store_->Propose({Proposes("550 unknown", "invalid_address")}).items[0];
  EXPECT_EQ(other.outcome, ProposeOutcome::kRelabelled);
  EXPECT_NE(other.id, id);
  EXPECT_EQ(Training(), "550 unknown: user_unknown (review)");
  EXPECT_EQ(ErrorOf([&] { desk_->Undo("rita"); }),
            "conflict: the contributor of proposal " + std::to_string(id) +
                " has proposed another label since: decide proposal " + std::to_string(other.id) +
                " instead");
  Accept(other.id);
  EXPECT_EQ(Training(), "550 unknown: invalid_address (review)");
}

TEST_F(Reviews, TheHistoryTellsEverything) {
  const int64_t id = Propose(Proposes("550 unknown", "user_unknown"));
  Propose(Proposes("550 unknown", "unknown"));
  Decide(Relabel(id, "invalid_address"));
  desk_->Undo("rita");
  std::string told;
  for (const HistoryEntry& entry : desk_->History(id)) {
    told += entry.actor + " " + entry.action + " " + entry.entity + "\n";
  }
  for (const char* part :
       {"key-a insert proposals\n", "key-a insert proposal_labels\n",
        "key-a update proposal_labels\n", "rita insert reviews\n", "rita update proposals\n",
        "rita update reviews\n", "review:rita delete votes\n"}) {
    EXPECT_TRUE(Holds(told, part));
  }
  EXPECT_EQ(ErrorOf([&] { desk_->History(99); }), "not_found: no proposal 99");
}

TEST_F(Reviews, AgreementIsMeasuredOverWhatSeveralDecided) {
  desk_->SetOverlap(3, "admin");
  std::vector<int64_t> ids;
  for (size_t i = 0; i < 4; ++i) {
    ids.push_back(Propose(Proposes("550 " + WordOf(i), i < 2 ? "user_unknown" : "spam_blocked")));
    Accept(ids[i]);
  }
  for (size_t i = 0; i < 3; ++i) Accept(ids[i], "sam");
  Reject(ids[3], "sam");
  const auto agreement = desk_->Agreement();
  ASSERT_EQ(agreement.size(), kTaskCount);
  const TaskAgreement& action = agreement[Index(Task::kAction)];
  EXPECT_EQ(action.proposals, 4);
  EXPECT_EQ(action.reviewers, 2);
  // Same 3/4; by chance 2/4*2/4 + 2/4*1/4 = 3/8.
  EXPECT_NEAR(action.cohen.value(), 0.6, 1e-12);
  EXPECT_TRUE(action.fleiss);
  EXPECT_EQ(agreement[Index(Task::kBnac)].proposals, 0);
  EXPECT_FALSE(agreement[Index(Task::kBnac)].cohen);
}

TEST_F(Reviews, QuarantinedOnesAreRejectedOrReleased) {
  ProposalStoreOptions options;
  options.rules.flood_per_hour = 2;
  const auto store = OpenProposalStore(uri_, options);
  const auto items =
      store->Propose({Proposes("550 a b", "unknown"), Proposes("550 c d", "unknown")}).items;
  ASSERT_EQ(items[0].status, kQuarantined);
  EXPECT_EQ(ErrorOf([&] { Accept(items[0].id); }),
            "conflict: proposal " + std::to_string(items[0].id) +
                " is quarantined (flood): reject it, or release its contributor first");
  EXPECT_EQ(Reject(items[0].id), kRejected);
  desk_->Undo("rita");
  EXPECT_EQ(StatusOf(items[0].id), kQuarantined) << "undo gives back what was";
  const auto hits = desk_->QuarantineHits();
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].rule, "flood");
  EXPECT_EQ(hits[0].released_at, "");
  EXPECT_EQ(desk_->Contributors().at(0).held_reason, "flood");
  EXPECT_EQ(desk_->Release("key-a", "admin"), 2);
  EXPECT_EQ(StatusOf(items[0].id), kPending);
  EXPECT_EQ(desk_->QuarantineHits().at(0).released_by, "admin");
  EXPECT_EQ(ErrorOf([&] { desk_->Release("key-a", "admin"); }),
            "not_found: the contributor 'key-a' is not held");
  // The rules count anew.
  EXPECT_EQ(store->Propose({Proposes("550 e f", "unknown")}).items[0].status, kPending);
}

TEST_F(Reviews, DoubtedLabelsComeIntoTheQueue) {
  Submission seed;
  seed.text = "550 \"Jane Roe\" <jane@example.com> mailbox full";
  seed.contributor = "seed";
  seed.origin = LabelOrigin::kSeed;
  seed.labels[Index(Task::kAction)] = LabelOf(Task::kAction, "user_unknown");
  const auto labels = OpenLabelStore(uri_);
  labels->Submit({seed});
  int64_t message = 0;
  labels->ReadSnapshot(labels->MakeSnapshot().id,
                       [&](const SnapshotRow& row) { message = row.message_id; });
  Suspicion doubt;
  doubt.message_id = message;
  doubt.task = Task::kAction;
  doubt.given = LabelOf(Task::kAction, "user_unknown");
  doubt.likely = LabelOf(Task::kAction, "mailbox_full");
  doubt.probability = 0.9;
  doubt.score = 0.85;
  EXPECT_EQ(desk_->Suspect({doubt}), 1);
  EXPECT_EQ(desk_->Suspect({doubt}), 0);
  Propose(Proposes("550 other", "unknown"));
  const auto page = store_->List({.source = "suspect", .order = ProposalOrder::kSuspect});
  ASSERT_EQ(page.total, 1);
  EXPECT_EQ(page.proposals[0].contributor, "label-errors");
  EXPECT_FLOAT_EQ(static_cast<float>(page.proposals[0].suspicion), 0.85f);
  Accept(page.proposals[0].id);
  // The very message is mended, not a second one made.
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.messages"), "1");
  EXPECT_TRUE(Holds(Training(), ": mailbox_full (review)"));
  doubt.message_id = 99;
  EXPECT_EQ(ErrorOf([&] { desk_->Suspect({doubt}); }),
            "not_found: no message 99 of the present normaliser");
}

TEST_F(Reviews, APoisonedKeyTeachesNothing) {
  // One in five labels of key-p is poison: user_unknown on what names a block list.
  std::vector<Proposal> sent;
  for (size_t i = 0; i < 50; ++i) {
    const bool poison = i % 5 == 0;
    sent.push_back(
        poison
            ? Proposes("550 " + WordOf(i) + " listed by zen.spamhaus.org", "user_unknown", "key-p")
            : Proposes("550 " + WordOf(i) + " no such user", "user_unknown", "key-p"));
  }
  for (size_t i = 0; i < sent.size(); i += 10) {
    store_->Propose(
        {sent.begin() + static_cast<long>(i), sent.begin() + static_cast<long>(i + 10)});
  }
  EXPECT_EQ(store_->List({.status = kQuarantined}).total >= 10, true);
  // Nothing trains before a review, whatever the rules found.
  EXPECT_EQ(Training(), "");
  // Reviewers go through it: the rest of the key is sound.
  desk_->Release("key-p", "admin");
  for (const ProposalView& each : store_->List({.limit = 100}).proposals) {
    each.text.find("spamhaus") != std::string::npos ? Reject(each.id) : Accept(each.id);
  }
  const std::string training = Training();
  EXPECT_EQ(std::count(training.begin(), training.end(), '\n'), 39);
  EXPECT_EQ(training.find("spamhaus"), std::string::npos) << training;
  const ContributorRecord record = desk_->Contributors().at(0);
  EXPECT_EQ(record.agreed, 40);
  EXPECT_EQ(record.disagreed, 10);
  EXPECT_NEAR(record.weight, 44.0 / 55, 1e-9);
}

TEST_F(Reviews, AMistrustedContributorsImportsDoNotCount) {
  const auto labels = OpenLabelStore(uri_);
  const auto import = [&](const std::string& text, std::string_view label, const std::string& who) {
    Submission submission;
    submission.text = text;
    submission.contributor = who;
    submission.labels[Index(Task::kAction)] = LabelOf(Task::kAction, label);
    labels->Submit({submission});
  };
  import("550 alone", "user_unknown", "key-p");
  import("550 against", "user_unknown", "key-p");
  import("550 against", "spam_blocked", "key-b");
  EXPECT_EQ(Training(), "550 alone: user_unknown") << "one against one is a tie";
  for (size_t i = 0; i < 2; ++i) Reject(Propose(Proposes("551 " + WordOf(i), "unknown", "key-p")));
  EXPECT_EQ(Training(), "550 alone: user_unknown\n550 against: spam_blocked")
      << "the heavier word wins";
  for (size_t i = 2; i < 4; ++i) Reject(Propose(Proposes("551 " + WordOf(i), "unknown", "key-p")));
  EXPECT_EQ(Training(), "550 against: spam_blocked") << "below 0.5 nothing counts";
}

}  // namespace
}  // namespace rebound
