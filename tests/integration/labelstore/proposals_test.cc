// Contributions as PostgreSQL keeps them: masked, once, audited, limited, set aside.
#include "labelstore/proposals.h"

#include <gtest/gtest.h>

#include <thread>

#include "contributions.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "labelstore/reviews.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

using Kind = ProposeResult::Kind;
using enum ProposeOutcome;

class Proposals : public testing::Test {
 protected:
  Proposed One(const Proposal& proposal) { return store_->Propose({proposal}).items.at(0); }
  std::string Ask(const std::string& query) { return Column(uri_, query); }

  const std::string uri_ = test::SharedCluster().NewStore();
  std::unique_ptr<ProposalStore> store_ = OpenProposalStore(uri_);
};

TEST_F(Proposals, AreStoredMaskedAndReadBack) {
  Proposal proposal = Proposes("550 5.1.1 \"Jane Roe\" <jane@example.com> unknown", "user_unknown");
  proposal.labels[Index(Task::kBnac)] = LabelOf(Task::kBnac, "RECIPIENT_NOT_FOUND");
  proposal.comment = "ask jane@example.com";
  proposal.model[Index(Task::kAction)] =
      ModelAnswer{LabelOf(Task::kAction, "spam_blocked"), 0.625f, 7};
  const Proposed made = One(proposal);
  EXPECT_EQ(made.outcome, kInserted);
  EXPECT_EQ(made.status, ProposalStatus::kPending);
  EXPECT_EQ(made.text, "550 5.1.1 <__email__> unknown");

  const auto view = store_->Find(made.id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->text, made.text);
  EXPECT_EQ(view->comment, "ask __email__");
  EXPECT_EQ(view->contributor, "key-a");
  EXPECT_EQ(view->source, "contribution");
  EXPECT_EQ(view->labels, proposal.labels);
  EXPECT_EQ(view->decided, LabelChoice());
  ASSERT_TRUE(view->model[Index(Task::kAction)]);
  EXPECT_EQ(view->model[Index(Task::kAction)]->probability, 0.625f);
  EXPECT_EQ(view->model[Index(Task::kAction)]->version, 7);
  EXPECT_FALSE(view->model[Index(Task::kBnac)]);
  EXPECT_FLOAT_EQ(static_cast<float>(view->scores.disagreement), 0.625f);
  EXPECT_EQ(view->created_at.size(), std::string("2026-01-01T00:00:00Z").size());
  EXPECT_EQ(view->decided_at, "");
  EXPECT_FALSE(view->trained);
  EXPECT_FALSE(store_->Find(made.id + 1000));
  // Nowhere in the database.
  EXPECT_EQ(
      Ask("SELECT count(*) FROM rebound.audit WHERE coalesce(before::text, '') || after::text "
          "~* 'jane|roe'"),
      "0");
}

TEST_F(Proposals, TrainNothing) {
  One(Proposes("550 unknown user", "user_unknown"));
  EXPECT_EQ(OpenLabelStore(uri_)->MakeSnapshot().rows, 0);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.messages"), "0");
}

TEST_F(Proposals, TheSameAgainIsADuplicateAndAnotherLabelAChangedVote) {
  const Proposed first = One(Proposes("550 <a@b.example> unknown", "user_unknown"));
  const Proposed again = One(Proposes("550 <c@d.example> unknown", "user_unknown"));
  EXPECT_EQ(again.outcome, kDuplicate);
  EXPECT_EQ(again.id, first.id);
  const Proposed changed = One(Proposes("550 <a@b.example> unknown", "invalid_address"));
  EXPECT_EQ(changed.outcome, kRelabelled);
  EXPECT_EQ(changed.id, first.id);
  EXPECT_EQ(store_->Find(first.id)->labels[Index(Task::kAction)],
            LabelOf(Task::kAction, "invalid_address"));
  EXPECT_EQ(Ask("SELECT actor || ': ' || a.name || ' to ' || b.name FROM rebound.audit "
                "JOIN rebound.labels a ON a.id = (before ->> 'label_id')::int "
                "JOIN rebound.labels b ON b.id = (after ->> 'label_id')::int "
                "WHERE entity = 'proposal_labels'"),
            "key-a: user_unknown to invalid_address");
  EXPECT_EQ(store_->Find(first.id)->cluster_volume, 3);
}

TEST_F(Proposals, AnotherContributorProposesByThemselves) {
  const Proposed a = One(Proposes("550 unknown user", "user_unknown"));
  const Proposed b = One(Proposes("550 unknown user", "user_unknown", "key-b"));
  EXPECT_EQ(b.outcome, kInserted);
  EXPECT_NE(a.id, b.id);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.contributed_texts"), "1");
}

TEST_F(Proposals, OneCallCountsAsIfItsRowsCameOneByOne) {
  const auto result = store_->Propose(
      {Proposes("550 unknown user", "user_unknown"), Proposes("550 unknown user", "unknown"),
       Proposes("550 unknown user", "unknown"), Proposes("421 try later", "greylisting", "key-b"),
       Proposes("550 unknown user", "user_unknown")});
  ASSERT_EQ(result.items.size(), 5u);
  EXPECT_EQ(result.items[0].outcome, kInserted);
  EXPECT_EQ(result.items[1].outcome, kRelabelled);
  EXPECT_EQ(result.items[2].outcome, kDuplicate);
  EXPECT_EQ(result.items[3].outcome, kInserted);
  EXPECT_EQ(result.items[4].outcome, kRelabelled);
  EXPECT_EQ(result.items[0].id, result.items[4].id);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.audit WHERE entity = 'proposal_labels' "
                "AND action = 'update'"),
            "2");
}

TEST_F(Proposals, ABadOneIsNamedAndNothingIsStored) {
  const Proposal good = Proposes("550 unknown user", "user_unknown");
  Proposal none = good, blank = good, nobody = good, wrong = good, uuid = good, chatty = good;
  none.labels = {};
  blank.text = " \r\n";
  nobody.contributor = "";
  wrong.labels[Index(Task::kAction)] = 99;
  uuid.delivery_id = "17";
  chatty.comment = std::string(kMaxCommentBytes + 1, 'x');
  const std::pair<Proposal, const char*> cases[] = {
      {none, "has no label"},
      {blank, "has a blank text"},
      {nobody, "names no contributor"},
      {wrong, "has the label 99, which task action does not have"},
      {uuid, "has a delivery id that is no UUID"},
      {chatty, "has a comment of more than 1000 bytes"}};
  for (const auto& [bad, why] : cases) {
    EXPECT_EQ(FaultOf(bad), why);
    EXPECT_EQ(ErrorOf([&] {
                store_->Propose({good, bad});
              }),
              std::string("invalid_argument: proposal 1 ") + why);
  }
  EXPECT_EQ(FaultOf(good), std::nullopt);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "0");
}

TEST_F(Proposals, ADeliveryInDoubtIsRepeatedWithoutHarm) {
  Proposal first = Proposes("550 unknown user", "user_unknown");
  first.delivery_id = MakeDeliveryId("spool 1");
  Proposal second = Proposes("550 unknown user", "invalid_address");
  second.delivery_id = MakeDeliveryId("spool 2");
  const Proposed a = One(first), b = One(second);
  EXPECT_EQ(b.outcome, kRelabelled);
  // The first once more, behind the second: the newer label stays.
  const auto again = store_->Propose({first, second, first = first}).items;
  EXPECT_EQ(again[0].outcome, kInserted);
  EXPECT_EQ(again[0].id, a.id);
  EXPECT_EQ(again[0].text, a.text);
  EXPECT_EQ(again[1].outcome, kRelabelled);
  EXPECT_EQ(store_->Find(a.id)->labels[Index(Task::kAction)],
            LabelOf(Task::kAction, "invalid_address"));
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.deliveries"), "2");
}

TEST_F(Proposals, OneDeliveryIdTwiceInACallIsRefused) {
  Proposal one = Proposes("550 unknown user", "user_unknown");
  one.delivery_id = MakeDeliveryId("x");
  Proposal two = Proposes("550 mailbox full", "mailbox_full");
  two.delivery_id = one.delivery_id;
  EXPECT_EQ(ErrorOf([&] {
              store_->Propose({one, two});
            }),
            "invalid_argument: proposal 1 has the delivery id of another of this call");
}

TEST_F(Proposals, AnIdempotencyKeyGetsTheSameAnswerAndRefusesAnotherRequest) {
  const std::vector<Proposal> request = {Proposes("550 <a@b.example> unknown", "user_unknown"),
                                         Proposes("552 mailbox full", "mailbox_full")};
  const ProposeOptions key = {.idempotency_key = "k1"};
  const auto first = store_->Propose(request, key);
  EXPECT_EQ(first.kind, Kind::kDone);
  const auto again = store_->Propose(request, key);
  EXPECT_EQ(again.kind, Kind::kRepeated);
  ASSERT_EQ(again.items.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again.items[i].id, first.items[i].id);
    EXPECT_EQ(again.items[i].outcome, kInserted);
    EXPECT_EQ(again.items[i].text, first.items[i].text);
  }
  const auto other = store_->Propose({request[1]}, key);
  EXPECT_EQ(other.kind, Kind::kKeyReused);
  EXPECT_EQ(other.problem, "the idempotency key 'k1' came with another request before");
  EXPECT_TRUE(other.items.empty());
  // Keys of another contributor are other keys.
  EXPECT_EQ(store_->Propose({Proposes("552 mailbox full", "mailbox_full", "key-b")}, key).kind,
            Kind::kDone);
  EXPECT_EQ(ErrorOf([&] {
              store_->Propose({request[0], Proposes("552 full", "mailbox_full", "key-b")}, key);
            }),
            "invalid_argument: an idempotency key belongs to one contributor: send the others by "
            "themselves");
}

TEST_F(Proposals, LimitsRefuseTheWholeCall) {
  ProposalStoreOptions options;
  options.limits = {.open = 2, .per_day = 100};
  const auto store = OpenProposalStore(uri_, options);
  store->Propose({Proposes("550 one", "unknown"), Proposes("550 two", "unknown")});
  const auto over =
      store->Propose({Proposes("550 two", "unknown"), Proposes("550 six", "unknown")});
  EXPECT_EQ(over.kind, Kind::kOverLimit);
  EXPECT_EQ(over.problem,
            "key-a would have 3 proposals waiting for review and may have 2: send more once some "
            "are decided");
  EXPECT_TRUE(over.items.empty());
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "2");
  // A duplicate adds nothing; another key has its own limit; what was acknowledged is stored.
  EXPECT_EQ(store->Propose({Proposes("550 two", "unknown")}).kind, Kind::kDone);
  EXPECT_EQ(store->Propose({Proposes("550 six", "unknown", "key-b")}).kind, Kind::kDone);
  EXPECT_EQ(store->Propose({Proposes("550 six", "unknown")}, {.acknowledged = true}).kind,
            Kind::kDone);

  options.limits = {.open = 100, .per_day = 3};
  EXPECT_EQ(OpenProposalStore(uri_, options)->Propose({Proposes("550 ten", "unknown")}).problem,
            "key-a would have sent 4 proposals within a day and may send 3: send the others "
            "tomorrow");
}

TEST_F(Proposals, ListsOnesOwnByPageAndStatus) {
  std::vector<Proposal> many;
  for (size_t i = 0; i < 25; ++i) many.push_back(Proposes("550 " + WordOf(i), "unknown"));
  many.push_back(Proposes("550 other", "unknown", "key-b"));
  store_->Propose(many);
  const ProposalPage page = store_->List({.contributor = "key-a", .page = 3, .limit = 10});
  EXPECT_EQ(page.total, 25);
  ASSERT_EQ(page.proposals.size(), 5u);
  EXPECT_EQ(page.proposals.back().text, "550 " + WordOf(0));
  EXPECT_EQ(store_->List({.status = ProposalStatus::kApproved}).total, 0);
  EXPECT_EQ(store_->List({.status = ProposalStatus::kPending}).total, 26);
  EXPECT_EQ(ErrorOf([&] { store_->List({.page = 0}); }),
            "invalid_argument: page counts from 1, and limit is 1 to 10000");
  const ProposalCounts counts = store_->Count();
  EXPECT_EQ(counts.by_status.at("pending"), 26);
  EXPECT_EQ(counts.by_status.at("approved"), 0);
  EXPECT_EQ(counts.by_label.at("unknown"), 26);
  EXPECT_EQ(counts.untrained, 0);
}

TEST_F(Proposals, TheQueueIsOrderedByWhatMatters) {
  const auto id = [&](Proposal proposal) { return One(proposal).id; };
  const int64_t calm = id(WithModel(Proposes("550 calm words", "spam_blocked"), "spam_blocked", 1));
  const int64_t unsure =
      id(WithModel(Proposes("550 unsure words", "spam_blocked"), "spam_blocked", 0.3f));
  const int64_t dear =
      id(WithModel(Proposes("550 listed by spamhaus", "user_unknown"), "ip_blacklisted", 0.9f));
  const auto first = [&](ProposalOrder order) {
    return store_->List({.order = order, .limit = 1}).proposals.at(0).id;
  };
  EXPECT_EQ(first(ProposalOrder::kNewest), dear);
  EXPECT_EQ(first(ProposalOrder::kDisagreement), dear);
  EXPECT_EQ(first(ProposalOrder::kUncertainty), unsure);
  EXPECT_EQ(first(ProposalOrder::kCost), dear);
  for (int i = 0; i < 3; ++i) id(Proposes("550 calm words", "spam_blocked"));
  EXPECT_EQ(first(ProposalOrder::kVolume), calm);
}

TEST_F(Proposals, NearCopiesShareACluster) {
  const auto cluster = [&](const std::string& text) {
    return store_->Find(One(Proposes(text, "policy_blocked")).id)->cluster_id;
  };
  const std::string text =
      "550 5.7.1 your message was refused by the policy of our site, see code ";
  const int64_t one = cluster(text + "alpha");
  EXPECT_EQ(cluster(text + "beta"), one);
  EXPECT_NE(cluster("452 4.2.2 the mailbox of this user is full at the moment"), one);
  // Also where both are new in one call.
  const auto items =
      store_
          ->Propose(
              {Proposes(
                   "451 4.3.0 the queue file could not be written because of an error on our side",
                   "server_error"),
               Proposes("451 4.3.0 the queue file could not be written because of an error on "
                        "their side",
                        "server_error")})
          .items;
  EXPECT_EQ(store_->Find(items[0].id)->cluster_id, store_->Find(items[1].id)->cluster_id);
}

TEST_F(Proposals, WritersAtOnceLoseNothingAndDoubleNothing) {
  std::vector<std::thread> threads;
  for (size_t writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&, writer] {
      const auto store = OpenProposalStore(uri_);
      for (size_t part = 0; part < 4; ++part) {
        std::vector<Proposal> proposals;
        for (size_t i = 0; i < 50; ++i) {
          const size_t at = part * 50 + (writer % 2 == 0 ? i : 49 - i);
          proposals.push_back(
              Proposes("550 " + WordOf(at), "unknown", writer < 2 ? "key-a" : "key-b"));
        }
        store->Propose(proposals);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.contributed_texts"), "200");
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "400");
  EXPECT_EQ(Ask("SELECT sum(volume) FROM rebound.clusters"), "800");
}

// Each was compared with each: ten thousand rows took a minute.
TEST_F(Proposals, OfManyThatAreAllALittleAlikeANearCopyStillFindsItsOwn) {
  const auto text = [](int number) {
    std::string words;
    for (int k = 0; k < 3; ++k) {
      words += " ";
      for (int rest = number * 7 + k, j = 0; j < 4; ++j, rest /= 26) {
        words += static_cast<char>('a' + rest % 26);
      }
    }
    return "550 5.1.1 there is no such mailbox here as" + words;
  };
  std::vector<Proposal> many;
  for (int i = 0; i < 2000; ++i) many.push_back(Proposes(text(i), "user_unknown"));
  const std::vector<Proposed> items = store_->Propose(many).items;
  for (const size_t i : {0U, 999U, 1999U}) {
    const Proposed copy = One(Proposes(text(static_cast<int>(i)) + " now", "user_unknown"));
    EXPECT_EQ(store_->Find(copy.id)->cluster_id, store_->Find(items[i].id)->cluster_id) << i;
  }
}

TEST_F(Proposals, APoisoningKeyIsSetAsideAndShown) {
  const auto poison = [&](size_t i) {
    return WithModel(
        Proposes("550 " + WordOf(i) + " blocked, listed by zen.spamhaus.org", "user_unknown"),
        "ip_blacklisted", 0.9f);
  };
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(One(poison(i)).status, ProposalStatus::kPending);
  const int64_t innocent = One(Proposes("552 mailbox full", "mailbox_full")).id;
  EXPECT_EQ(One(poison(4)).status, ProposalStatus::kQuarantined);
  // The four before it went with it; what is no poison waits for its review as it did.
  EXPECT_EQ(store_->List({.status = ProposalStatus::kQuarantined}).total, 5);
  EXPECT_EQ(store_->Find(innocent)->status, ProposalStatus::kPending);
  // The key is held: whatever comes next is set aside too, of other keys nothing is.
  EXPECT_EQ(One(Proposes("552 quota", "mailbox_full")).status, ProposalStatus::kQuarantined);
  EXPECT_EQ(One(Proposes("552 quota", "mailbox_full", "key-b")).status, ProposalStatus::kPending);
  EXPECT_EQ(
      Ask("SELECT rule || ': ' || detail || '; ' || proposals FROM rebound.quarantine_hits"),
      "poisoning: 5 labels that remove the address, on texts that name a block list, within a "
      "day: 83 % of 6; 5");
}

TEST_F(Proposals, AFloodIsSetAside) {
  ProposalStoreOptions options;
  options.rules.flood_per_hour = 10;
  const auto store = OpenProposalStore(uri_, options);
  std::vector<Proposal> many;
  for (size_t i = 0; i < 10; ++i) many.push_back(Proposes("550 " + WordOf(i), "unknown"));
  for (const Proposed& item : store->Propose(many).items) {
    EXPECT_EQ(item.status, ProposalStatus::kQuarantined);
  }
  EXPECT_EQ(store->Find(1)->reason, "flood");
}

// What candidate 7 says where 6 serves.
Proposal Shadows(std::string text, std::string_view label, std::string_view incumbent) {
  Proposal proposal = Proposes(std::move(text), label, ShadowContributor(Task::kAction, 7));
  proposal.source = ProposalSource::kShadow;
  proposal.suspicion = 0.75;
  proposal.model[Index(Task::kAction)] = ModelAnswer{LabelOf(Task::kAction, incumbent), 0.5f, 6};
  return proposal;
}

TEST_F(Proposals, OfAShadowThereIsOneACluster) {
  const std::string text =
      "550 5.7.1 your message was refused by the policy of our site, see code ";
  const Proposed first = One(Shadows(text + "alpha", "spam_blocked", "policy_blocked"));
  EXPECT_EQ(first.outcome, kInserted);
  EXPECT_EQ(store_->Find(first.id)->source, "shadow");
  const auto same = [&](const Proposed& other) {
    EXPECT_EQ(other.outcome, kDuplicate);
    EXPECT_EQ(other.id, first.id);
  };
  same(One(Shadows(text + "alpha", "spam_blocked", "policy_blocked")));
  same(One(Shadows(text + "beta", "spam_blocked", "policy_blocked")));
  same(One(Shadows(text + "beta", "relay_denied", "policy_blocked")));
  const auto items = store_
                         ->Propose({Shadows(text + "gamma", "spam_blocked", "policy_blocked"),
                                    Shadows("452 4.2.2 quite full", "server_error", "unknown"),
                                    Shadows(text + "delta", "spam_blocked", "policy_blocked")})
                         .items;
  same(items[0]);
  EXPECT_EQ(items[1].outcome, kInserted);
  same(items[2]);
  EXPECT_EQ(store_->List({.source = "shadow"}).total, 2);
  EXPECT_EQ(store_->Find(first.id)->cluster_volume, 6) << "how often it came up";
  // Also once it is decided; another candidate has a word of its own, and so has a contributor.
  OpenReviewDesk(uri_)->Decide({.proposals = {first.id},
                                .reviewer = "rita",
                                .decision = ReviewDecision::kReject,
                                .labels = {}});
  const Proposed late = One(Shadows(text + "epsilon", "spam_blocked", "policy_blocked"));
  same(late);
  EXPECT_EQ(late.status, ProposalStatus::kRejected);
  Proposal other = Shadows(text + "beta", "spam_blocked", "policy_blocked");
  other.contributor = ShadowContributor(Task::kAction, 8);
  EXPECT_EQ(One(other).outcome, kInserted);
  EXPECT_EQ(One(Proposes(text + "beta", "spam_blocked")).outcome, kInserted);
}

TEST_F(Proposals, NearCopiesInOneCallOfAShadowAreOneToo) {
  const std::string text = "451 4.3.0 the queue file could not be written because of an error on ";
  const auto items = store_
                         ->Propose({Shadows(text + "our side", "server_error", "unknown"),
                                    Shadows(text + "their side", "server_error", "unknown")})
                         .items;
  EXPECT_EQ(items[0].outcome, kInserted);
  EXPECT_EQ(items[1].outcome, kDuplicate);
  EXPECT_EQ(items[1].id, items[0].id);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "1");
}

TEST_F(Proposals, OfAShadowNothingIsSetAsideHoweverMuchItLooksLikeAnAttack) {
  ProposalStoreOptions options;
  options.rules.flood_per_hour = 3;
  const auto store = OpenProposalStore(uri_, options);
  for (size_t i = 0; i < 10; ++i) {
    const std::string text = "550 " + WordOf(i) + " blocked, " + WordOf(i + 50) +
                             " is listed by zen.spamhaus.org " + WordOf(i + 100);
    EXPECT_EQ(store->Propose({Shadows(text, "user_unknown", "ip_blacklisted")}).items[0].status,
              ProposalStatus::kPending);
  }
  EXPECT_EQ(store->List({.order = ProposalOrder::kCost}).proposals[0].scores.cost, 20)
      << "reviewers see it first all the same";
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.quarantine_hits"), "0");
}

TEST_F(Proposals, AShadowIsNoVoteUntilAReviewerDecides) {
  const int64_t id = One(Shadows("550 odd words", "spam_blocked", "policy_blocked")).id;
  const auto labels = OpenLabelStore(uri_);
  EXPECT_EQ(labels->MakeSnapshot().rows, 0);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.message_labels"), "0");
  OpenReviewDesk(uri_)->Decide(
      {.proposals = {id}, .reviewer = "rita", .decision = ReviewDecision::kAccept, .labels = {}});
  EXPECT_EQ(labels->MakeSnapshot().rows, 1);
  EXPECT_EQ(Ask("SELECT contributor || ' ' || origin FROM rebound.message_labels"),
            "review:rita review");
}

TEST_F(Proposals, AWholeFileIsOneTransaction) {
  std::vector<Proposal> many;
  for (size_t i = 0; i < 3'000; ++i) {
    many.push_back(
        Proposes("550 5.1.1 " + WordOf(i) + " " + WordOf(i * 7) + " refused", "unknown"));
  }
  const auto result = store_->Propose(many);
  EXPECT_EQ(result.items.size(), 3'000u);
  EXPECT_EQ(Ask("SELECT count(*) FROM rebound.proposals"), "3000");
}

}  // namespace
}  // namespace rebound
