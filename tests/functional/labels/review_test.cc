// An operator's and a reviewer's day with rebound-labels.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/label_store.h"
#include "labelstore/proposals.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

class Review : public testing::Test {
 protected:
  Review() {
    std::vector<Proposal> proposals;
    for (const char* word : {"alpha", "beta", "gamma"}) {
      proposals.push_back(Propose(
          "550 5.7.1 your message was refused by the policy of our site, see " + std::string(word),
          "policy_blocked"));
    }
    proposals.push_back(Propose("550 listed by zen.spamhaus.org", "user_unknown"));
    proposals.back().model[Index(Task::kAction)] =
        ModelAnswer{FindLabel(Task::kAction, "ip_blacklisted").value(), 0.75f, 3};
    store_ = OpenProposalStore(uri_);
    store_->Propose(proposals);
  }

  static Proposal Propose(const std::string& text, std::string_view label) {
    Proposal proposal;
    proposal.text = text;
    proposal.contributor = "key-a";
    proposal.labels[Index(Task::kAction)] = FindLabel(Task::kAction, label);
    return proposal;
  }

  test::Ran Run(const std::string& arguments) {
    return test::RunCommand("USER=rita REBOUND_STORE='" + uri_ + "' " +
                            test::BinaryPath("rebound-labels") + " " + arguments);
  }
  std::string Output(const std::string& arguments) {
    const test::Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << arguments << ": " << ran.errors;
    return ran.output;
  }
  JsonDocument Json(const std::string& arguments) {
    return ParseJson(Output(arguments + " --json"));
  }
  static bool Tells(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  std::string uri_ = test::SharedCluster().NewStore();
  std::unique_ptr<ProposalStore> store_;
};

TEST_F(Review, TheQueueShowsWhatWouldHurtMost) {
  const std::string list = Output("review list --order cost --limit 2");
  EXPECT_EQ(list.find("4  pending  x1  cost 20  user_unknown  (model: ip_blacklisted)  key-a\n"
                      "    550 listed by __host__ spamhaus\n"),
            0u)
      << list;
  EXPECT_TRUE(Tells(list, "2 of 4\n")) << list;
  const JsonDocument json = Json("review list --order volume");
  EXPECT_EQ(GetJsonInt(json, "total"), 4);
  EXPECT_EQ(GetJsonInt(GetJson(json, "proposals")[0], "cluster_volume"), 3);
}

TEST_F(Review, ShowTellsWhatTheLabelsMean) {
  const std::string shown = Output("review show 4");
  for (const char* part :
       {"proposal 4, pending, by key-a at ", "550 listed by __host__ spamhaus",
        "label: user_unknown proposed; the model (version 3) says ip_blacklisted with 0.750",
        "what the labels mean\n  user_unknown: ", "  ip_blacklisted: "}) {
    EXPECT_TRUE(Tells(shown, part)) << part << "\n" << shown;
  }
  EXPECT_EQ(GetJsonString(Json("review show 4"), "status"), "pending");
  EXPECT_EQ(Run("review show 99").exit_code, 1);
}

TEST_F(Review, OneDecisionServesAClusterAndIsUndoneAsOne) {
  const JsonDocument decided = Json("review accept 1 --cluster --notes 'their own words'");
  EXPECT_EQ(GetJson(decided, "proposals").Size(), 3u);
  EXPECT_EQ(GetJsonInt(Json("snapshot"), "rows"), 3);
  EXPECT_TRUE(Tells(Output("review history 1"), "rita  insert reviews"));
  EXPECT_EQ(GetJson(Json("review undo"), "proposals").Size(), 3u);
  EXPECT_EQ(GetJsonInt(Json("snapshot"), "rows"), 0);
  EXPECT_TRUE(Tells(Output("review undo"), "there is no decision of yours to take back"));
}

TEST_F(Review, RelabelRejectSkipAndWhatBecomesOfTheContributor) {
  EXPECT_TRUE(
      Tells(Output("review relabel 4 --label ip_blacklisted"), "4  approved  ip_blacklisted"));
  EXPECT_TRUE(Tells(Output("review reject 1"), "1  rejected"));
  EXPECT_TRUE(Tells(Output("review skip 2"), "2  skipped"));
  const test::Ran again = Run("review accept 1");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.errors,
            "rebound-labels: proposal 1 is rejected already: undo that, or adjudicate\n");
  EXPECT_TRUE(Tells(Output("review accept 1 --adjudicate --reviewer ada"), "1  approved"));
  EXPECT_TRUE(Tells(Output("review contributors"),
                    "key-a  weight 0.71  right 1  wrong 1  approved 2  pending 1  skipped 1\n"));
  EXPECT_EQ(GetJsonInt(Json("review list --status all"), "total"), 4);
  EXPECT_EQ(GetJsonInt(Json("review list --status untrained"), "total"), 2);
}

TEST_F(Review, OverlapAndKappa) {
  EXPECT_EQ(Output("review overlap"), "1 reviewers must agree\n");
  EXPECT_EQ(GetJsonInt(Json("review overlap 2"), "overlap"), 2);
  Output("review accept 1 2 4");
  Output("review accept 1 2 --reviewer sam");
  Output("review reject 4 --reviewer sam");
  EXPECT_EQ(GetJsonInt(Json("review list --status disputed"), "total"), 1);
  const JsonDocument kappa = Json("review kappa");
  EXPECT_EQ(GetJsonInt(GetJson(kappa, "label"), "proposals"), 3);
  EXPECT_NEAR(GetJsonDouble(GetJson(kappa, "label"), "cohen"), 0.4, 1e-9);
  EXPECT_TRUE(GetJson(GetJson(kappa, "bnac"), "cohen").IsNull());
}

TEST_F(Review, QuarantineIsShownAndReleased) {
  EXPECT_EQ(Output("review quarantine"), "no rule has set anything aside\n");
  std::vector<Proposal> poison;
  for (const char* word : {"one", "two", "six", "ten"}) {
    poison.push_back(
        Propose(std::string("550 ") + word + " listed by zen.spamhaus.org", "user_unknown"));
  }
  store_->Propose(poison);
  EXPECT_TRUE(
      Tells(Output("review quarantine"), "key-a  poisoning: 5 labels that remove the address"));
  EXPECT_EQ(GetJsonInt(Json("review list --status quarantined"), "total"), 5);
  EXPECT_EQ(Output("review release key-a"), "5 proposals wait for review again\n");
  EXPECT_EQ(Run("review release key-a").exit_code, 1);
}

TEST_F(Review, SuspectsComeFromAFileOfProbabilities) {
  Submission full;
  full.text = "552 mailbox full";
  full.contributor = "seed";
  full.origin = LabelOrigin::kSeed;
  full.labels[Index(Task::kAction)] = FindLabel(Task::kAction, "mailbox_full");
  Submission wrong = full;
  wrong.text = "552 quota exceeded";
  wrong.labels[Index(Task::kAction)] = FindLabel(Task::kAction, "user_unknown");
  OpenLabelStore(uri_)->Submit({full, wrong});
  const TempFolder folder;
  const auto file = folder.path() / "oof.jsonl";
  std::string lines;
  for (const auto& [id, given] : {std::pair(1, "mailbox_full"), std::pair(2, "user_unknown")}) {
    lines += "{\"id\":" + std::to_string(id) + ",\"fold\":1,\"label\":{\"given\":\"" + given +
             "\",\"probabilities\":{\"mailbox_full\":0.9,\"user_unknown\":0.1}},\"bnac\":{"
             "\"given\":null,"
             "\"probabilities\":{}}}\n";
  }
  WriteFileDurably(file, lines);
  EXPECT_EQ(Output("review suspects " + file.string()),
            "1 doubted labels, of which new in the queue: 1\n");
  const JsonDocument queue = Json("review list --order suspect --limit 1");
  EXPECT_EQ(GetJsonString(GetJson(queue, "proposals")[0], "source"), "suspect");
  EXPECT_EQ(GetJsonString(GetJson(GetJson(queue, "proposals")[0], "proposed"), "label"),
            "mailbox_full");
  WriteFileDurably(file, "{\"id\":1,\"label\":{\"given\":\"nonsense\"}}\n");
  EXPECT_EQ(Run("review suspects " + file.string()).errors,
            "rebound-labels: line 1: task action has no label 'nonsense'\n");
}

TEST_F(Review, WrongUseIsExitCodeTwo) {
  for (const char* wrong : {"review",
                            "review fly",
                            "review accept",
                            "review accept x",
                            "review show 0",
                            "review list --order nonsense",
                            "review list --status nonsense",
                            "review relabel 1",
                            "review relabel 1 --label nonsense",
                            "review accept 1 --label unknown",
                            "review release",
                            "review history",
                            "review suspects /nonexistent",
                            "review list --limit 0",
                            "retain",
                            "retain --older-than 0",
                            "retain --keep-bundles 0",
                            "retain --contributor a --older-than 9",
                            "backup",
                            "restore"}) {
    EXPECT_EQ(Run(wrong).exit_code, 2) << wrong << ": " << Run(wrong).errors;
  }
  EXPECT_TRUE(Tells(Output("review --help"), "An evening of review:"));
}

TEST_F(Review, TheStoreIsBackedUpRestoredAndTidied) {
  const TempFolder folder;
  const std::string file = (folder.path() / "store.backup").string();
  EXPECT_TRUE(Tells(Output("roles"), "have their rights"));
  EXPECT_EQ(GetJsonInt(GetJson(Json("backup " + file), "rows"), "proposals"), 4);
  EXPECT_EQ(GetJsonInt(Json("retain --older-than 30 --dry-run"), "proposals"), 0);
  const JsonDocument counted = Json("retain --older-than 30 --keep-bundles 3 --dry-run");
  EXPECT_EQ(GetJsonInt(counted, "bundles"), 0);
  uri_ = test::SharedCluster().NewDatabase();
  EXPECT_TRUE(Tells(Output("restore " + file), "restored and compared: "));
  EXPECT_EQ(GetJsonInt(Json("review list"), "total"), 4);
  EXPECT_EQ(Run("restore " + file).exit_code, 1) << "it is no longer empty";
  EXPECT_EQ(Run("retain --contributor nobody").errors,
            "rebound-labels: the store knows no contributor 'nobody': rebound-labels review "
            "contributors lists them\n");
}

TEST_F(Review, AShadowsWordStandsBesideWhatUsersGot) {
  Proposal proposal = Propose("552 odd words", "spam_blocked");
  proposal.contributor = ShadowContributor(Task::kAction, 7);
  proposal.source = ProposalSource::kShadow;
  proposal.suspicion = 0.93;
  proposal.model[Index(Task::kAction)] =
      ModelAnswer{FindLabel(Task::kAction, "mailbox_full").value(), 0.81f, 6};
  const std::string id = std::to_string(store_->Propose({proposal}).items[0].id);
  const std::string words =
      "candidate 7 says spam_blocked (0.93), incumbent 6 says mailbox_full (0.81)";
  EXPECT_EQ(Output("review list --from shadow"), id + "  pending  x1  cost 3  " + words +
                                                     "  shadow:action:7\n    552 odd words\n"
                                                     "1 of 1\n");
  EXPECT_TRUE(Tells(Output("review show " + id), "\n" + words + "\n"));
  const std::string first = Output("review list --order suspect --limit 1");
  EXPECT_TRUE(Tells(first, words)) << "the surest candidate first: " << first;
}

}  // namespace
}  // namespace rebound
