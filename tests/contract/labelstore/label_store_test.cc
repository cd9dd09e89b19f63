#include <algorithm>
#include <set>

#include "base/json.h"
#include "stores.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using Counts = std::array<int64_t, 4>;  // inserted, duplicates, relabelled, voted

Counts CountsOf(const ImportResult& r) { return {r.inserted, r.duplicates, r.relabelled, r.voted}; }

TEST_P(LabelStoreContract, AnEmptyStoreGivesAnEmptySnapshot) {
  const SnapshotInfo info = store_->MakeSnapshot();
  EXPECT_EQ(info.rows, 0);
  EXPECT_EQ(info.digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(Rows(store_.get(), info.id).empty());
}

TEST_P(LabelStoreContract, SubmittingNothingChangesNothing) {
  EXPECT_EQ(CountsOf(store_->Submit({})), (Counts{0, 0, 0, 0}));
}

TEST_P(LabelStoreContract, TextsAreMaskedBeforeTheyAreStored) {
  const std::string text = "550 5.1.1 <jane.doe@private.example>: unknown user";
  store_->Submit({Says(text, "RECIPIENT_NOT_FOUND")});
  const auto rows = Rows(store_.get(), store_->MakeSnapshot().id);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text, Mask(text));
  EXPECT_EQ(rows[0].text.find("jane"), std::string::npos);
}

TEST_P(LabelStoreContract, TextsThatDifferInAddressesAloneAreOneMessage) {
  EXPECT_EQ(
      CountsOf(store_->Submit({Says("550 5.1.1 <a@b.example> unknown", "RECIPIENT_NOT_FOUND"),
                               Says("550 5.1.1 <c@d.example> unknown", "RECIPIENT_NOT_FOUND")})),
      (Counts{1, 1, 0, 0}));
}

TEST_P(LabelStoreContract, TheSameSubmissionAgainIsADuplicate) {
  store_->Submit({Says("550 unknown user", "RECIPIENT_NOT_FOUND")});
  EXPECT_EQ(CountsOf(store_->Submit({Says("550 unknown user", "RECIPIENT_NOT_FOUND")})),
            (Counts{0, 1, 0, 0}));
}

TEST_P(LabelStoreContract, AnotherLabelOfTheSameContributorRelabels) {
  store_->Submit({Says("550 unknown user", "BLOCKED")});
  EXPECT_EQ(CountsOf(store_->Submit({Says("550 unknown user", "RECIPIENT_NOT_FOUND")})),
            (Counts{0, 0, 1, 0}));
  EXPECT_EQ(EffectiveBnac(store_.get()), "RECIPIENT_NOT_FOUND");
  EXPECT_EQ(GetJsonInt(ParseJson(store_->StatsJson()), "changed_votes"), 1);
}

TEST_P(LabelStoreContract, AnotherContributorOrAnotherTaskIsAFirstVote) {
  store_->Submit({Says("550 unknown user", "BLOCKED")});
  EXPECT_EQ(CountsOf(store_->Submit({Says("550 unknown user", "BLOCKED", "bob")})),
            (Counts{0, 0, 0, 1}));
  Submission more = Says("550 unknown user", "BLOCKED");
  more.labels[Index(Task::kBackoff)] = Backoff("GENERIC_BLOCK");
  EXPECT_EQ(CountsOf(store_->Submit({more})), (Counts{0, 0, 0, 1}));
}

TEST_P(LabelStoreContract, OneCallCountsAsIfItsRowsCameOneByOne) {
  EXPECT_EQ(
      CountsOf(store_->Submit(
          {Says("550 unknown user", "BLOCKED"), Says("550 unknown user", "BLOCKED", "bob"),
           Says("550 unknown user", "SPF"), Says("550 unknown user", "SPF"),
           Says("550 unknown user", "BLOCKED"), Says("421 try again later", "TEMPORARY_ERROR")})),
      (Counts{2, 1, 2, 1}));
  EXPECT_EQ(GetJsonInt(ParseJson(store_->StatsJson()), "changed_votes"), 2);
}

TEST_P(LabelStoreContract, ABlankTextIsRefusedByItsPlaceAndNothingIsStored) {
  for (const char* blank : {"", " \t\r\n", "\x01\x02"}) {
    ExpectError(ErrorCode::kInvalidArgument, "submission 1 has a blank text", [&] {
      store_->Submit({Says("550 unknown user", "BLOCKED"), Says(blank, "BLOCKED")});
    });
  }
  EXPECT_EQ(GetJsonInt(ParseJson(store_->StatsJson()), "messages"), 0);
}

TEST_P(LabelStoreContract, AMissingContributorOrALabelOutOfRangeIsRefused) {
  ExpectError(ErrorCode::kInvalidArgument, "submission 0 names no contributor",
              [&] { store_->Submit({Says("550 unknown", "BLOCKED", "")}); });
  Submission wrong = Says("550 unknown", "BLOCKED");
  wrong.labels[0] = 18;
  ExpectError(ErrorCode::kInvalidArgument,
              "submission 0 has the label 18, which task bnac does not have",
              [&] { store_->Submit({wrong}); });
  ExpectError(ErrorCode::kInvalidArgument,
              "submission 0 has a contributor or group that is no valid text",
              [&] { store_->Submit({Says("550 unknown", "BLOCKED", std::string("a\0b", 3))}); });
}

TEST_P(LabelStoreContract, HostileTextsAreStoredAsTextAndReadBack) {
  const std::vector<std::string> hostile = {
      "'); DROP TABLE rebound.messages; -- rejected",
      "back\\slash \"quote\" {brace,comma} NULL \\N $1 %s rejected",
      std::string("nul \0 byte inside rejected", 26),
      "invalid \xff\xfe utf-8 \xc3 rejected",
      "emoji \xF0\x9F\x93\xAB and \xE2\x80\x8B zero width rejected",
      "tab\tand\r\nbreaks rejected",
  };
  std::vector<Submission> submissions;
  for (const std::string& text : hostile) submissions.push_back(Says(text, "BLOCKED"));
  EXPECT_EQ(store_->Submit(submissions).inserted, static_cast<int64_t>(hostile.size()));
  EXPECT_EQ(store_->Submit(submissions).duplicates, static_cast<int64_t>(hostile.size()));
  std::set<std::string> texts;
  for (const SnapshotRow& row : Rows(store_.get(), store_->MakeSnapshot().id))
    texts.insert(row.text);
  EXPECT_EQ(texts.size(), hostile.size());
  EXPECT_EQ(texts.count(Mask(hostile[0])), 1u);
  EXPECT_EQ(texts.count(Mask(hostile[1])), 1u);
}

TEST_P(LabelStoreContract, AHugeTextIsCutToWhatTheNormaliserReads) {
  std::string huge = "550 mailbox full ";
  while (huge.size() < (size_t{10} << 20)) huge += "and the quota is exceeded again ";
  store_->Submit({Says(huge, "RECIPIENT_ERROR")});
  const auto rows = Rows(store_.get(), store_->MakeSnapshot().id);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_LE(rows[0].text.size(), kMaxTextBytes);
  EXPECT_EQ(Normalise(rows[0].text), Normalise(huge));
}

TEST_P(LabelStoreContract, ContributionsDecideByMajorityOverTheSeed) {
  store_->Submit({Says("550 no", "BLOCKED", "seed", LabelOrigin::kSeed)});
  EXPECT_EQ(EffectiveBnac(store_.get()), "BLOCKED");
  store_->Submit({Says("550 no", "SPF", "alice")});
  EXPECT_EQ(EffectiveBnac(store_.get()), "SPF");
  store_->Submit({Says("550 no", "DKIM", "bob"), Says("550 no", "DKIM", "carol")});
  EXPECT_EQ(EffectiveBnac(store_.get()), "DKIM");
}

TEST_P(LabelStoreContract, ATieOfContributionsIsNoLabelAtAll) {
  store_->Submit({Says("550 no", "BLOCKED", "seed", LabelOrigin::kSeed),
                  Says("550 no", "SPF", "alice"), Says("550 no", "DKIM", "bob")});
  EXPECT_EQ(EffectiveBnac(store_.get()), "");
  EXPECT_EQ(store_->MakeSnapshot().rows, 0);
}

TEST_P(LabelStoreContract, OneReviewOutranksAllContributions) {
  store_->Submit({Says("550 no", "SPF", "alice"), Says("550 no", "SPF", "bob"),
                  Says("550 no", "DMARC", "judge", LabelOrigin::kReview)});
  EXPECT_EQ(EffectiveBnac(store_.get()), "DMARC");
  const auto rows = Rows(store_.get(), store_->MakeSnapshot().id);
  EXPECT_EQ(rows[0].origin, LabelOrigin::kReview);
}

TEST_P(LabelStoreContract, ASnapshotStaysAsItWasWhateverIsVotedLater) {
  store_->Submit({Says("550 no", "SPF")});
  const SnapshotInfo before = store_->MakeSnapshot();
  store_->Submit({Says("550 no", "DKIM"), Says("421 busy", "RATE_LIMIT")});
  const SnapshotInfo after = store_->MakeSnapshot();
  EXPECT_NE(before.digest, after.digest);
  const auto rows = Rows(store_.get(), before.id);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].labels[0], static_cast<int16_t>(Bnac("SPF")));
  EXPECT_EQ(rows[0].labels[1], -1);
  EXPECT_EQ(Rows(store_.get(), after.id).size(), 2u);
}

TEST_P(LabelStoreContract, TheSameContentIsTheSameSnapshot) {
  store_->Submit({Says("550 no", "SPF")});
  const SnapshotInfo first = store_->MakeSnapshot();
  const SnapshotInfo second = store_->MakeSnapshot();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.digest, first.digest);
  EXPECT_EQ(store_->FindSnapshot(first.id)->created_at, first.created_at);
  EXPECT_EQ(first.created_at.size(), std::string("2024-01-01T00:00:00Z").size());
}

TEST_P(LabelStoreContract, ContentHasOneDigestWhateverTheOrderItCameIn) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 40; ++i) {
    std::string word(3, static_cast<char>('a' + i % 26));
    word += static_cast<char>('a' + i / 26);
    submissions.push_back(Says("550 refused " + word, i % 2 == 0 ? "BLOCKED" : "SPF"));
  }
  store_->Submit(submissions);
  std::reverse(submissions.begin(), submissions.end());
  const auto other = GetParam().second();
  for (const Submission& each : submissions) other->Submit({each});
  EXPECT_EQ(other->MakeSnapshot().digest, store_->MakeSnapshot().digest);

  const auto memory = MakeMemoryLabelStore();
  memory->Submit(submissions);
  EXPECT_EQ(memory->MakeSnapshot().digest, store_->MakeSnapshot().digest);
}

TEST_P(LabelStoreContract, TheHeldOutSideIsAPropertyOfTheGroup) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 26; ++i) {
    Submission each = Says("550 refused " + std::string(4, static_cast<char>('a' + i)), "BLOCKED");
    each.group = "group-" + std::to_string(i % 7);
    submissions.push_back(each);
  }
  store_->Submit(submissions);
  for (const SnapshotRow& row : Rows(store_.get(), store_->MakeSnapshot().id)) {
    EXPECT_EQ(row.held_out, IsHeldOut(row.group)) << row.group;
  }
}

TEST_P(LabelStoreContract, ATextWithoutAGroupGetsTheOneOfItsWords) {
  store_->Submit({Says("550 5.1.1 mailbox of jane is full", "RECIPIENT_ERROR"),
                  Says("552 mailbox is full of jane", "RECIPIENT_ERROR"),
                  Says("550 something else", "BLOCKED")});
  std::set<std::string> groups;
  for (const SnapshotRow& row : Rows(store_.get(), store_->MakeSnapshot().id)) {
    groups.insert(row.group);
  }
  EXPECT_EQ(groups.size(), 2u);
}

TEST_P(LabelStoreContract, AnUnknownSnapshotIsNotFound) {
  EXPECT_EQ(store_->FindSnapshot(99), std::nullopt);
  ExpectError(ErrorCode::kNotFound, "no snapshot 99",
              [&] { store_->ReadSnapshot(99, [](const SnapshotRow&) {}); });
}

TEST_P(LabelStoreContract, StatsCountWhatCounts) {
  store_->Submit({Says("550 no", "SPF", "seed", LabelOrigin::kSeed), Says("550 no", "DKIM"),
                  Says("421 busy", "RATE_LIMIT")});
  store_->MakeSnapshot();
  const JsonDocument stats = ParseJson(store_->StatsJson());
  EXPECT_EQ(GetJsonInt(stats, "messages"), 2);
  EXPECT_EQ(GetJsonInt(stats, "votes"), 3);
  EXPECT_EQ(GetJsonInt(stats, "snapshots"), 1);
  EXPECT_EQ(GetJsonInt(GetJson(stats, "votes_by_origin"), "contribution"), 2);
  const JsonValue& bnac = GetJson(GetJson(stats, "labels"), "bnac");
  EXPECT_EQ(GetJsonInt(bnac, "DKIM"), 1);
  EXPECT_EQ(GetJsonInt(bnac, "SPF"), 0);
  EXPECT_TRUE(GetJson(GetJson(stats, "current"), "bnac").IsNull());
}

INSTANTIATE_TEST_SUITE_P(Stores, LabelStoreContract, kStores, StoreName);

}  // namespace
}  // namespace rebound
