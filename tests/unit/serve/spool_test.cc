// What was acknowledged and waits for the label store.
#include "serve/spool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "serve/delivery.h"
#include "serve/submission.h"

namespace rebound {
namespace {

SpoolEntry Entry(std::string contributor, std::string payload, std::string key = "") {
  SpoolEntry entry;
  entry.contributor = std::move(contributor);
  entry.digest = payload;
  entry.payload = std::move(payload);
  entry.idempotency_key = std::move(key);
  return entry;
}

std::vector<std::string> Payloads(Spool* spool, size_t most = 100, int64_t proposals = 1000) {
  std::vector<std::string> payloads;
  for (const SpoolEntry& entry : spool->Read(most, proposals)) payloads.push_back(entry.payload);
  return payloads;
}

class SpoolTest : public testing::Test {
 protected:
  SpoolOptions Options() { return {.folder = folder_.path() / "spool"}; }
  TempFolder folder_;
};

TEST_F(SpoolTest, KeepsEntriesInTheirOrderUntilTheyAreRemoved) {
  Spool spool(Options());
  for (const char* payload : {"one", "two", "three"}) {
    EXPECT_EQ(spool.Add(Entry("jo", payload)), SpoolOutcome::kAdded);
  }
  EXPECT_EQ(spool.waiting(), 3);
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"one", "two", "three"}));
  EXPECT_EQ(Payloads(&spool, 2), std::vector<std::string>({"one", "two"}));
  spool.Remove({spool.Read(1, 1).front().id});
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"two", "three"}));
  EXPECT_EQ(spool.waiting(), 2);
}

TEST_F(SpoolTest, IsFoundAgainByTheNextServerAndSeenByAnotherOne) {
  {
    Spool spool(Options());
    spool.Add(Entry("jo", "one"));
  }
  Spool next(Options()), other(Options());
  EXPECT_EQ(next.waiting(), 1);
  EXPECT_EQ(Payloads(&next), std::vector<std::string>({"one"}));
  other.Add(Entry("al", "two"));
  EXPECT_EQ(next.waiting(), 1) << "nobody looked yet";
  next.Look();
  EXPECT_EQ(next.waiting(), 2);
}

TEST_F(SpoolTest, IsReadByItsOwnerAlone) {
  Spool spool(Options());
  using std::filesystem::perms;
  const auto of = [](const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions() & perms::mask;
  };
  EXPECT_EQ(of(Options().folder), perms::owner_all);
  EXPECT_EQ(of(Options().folder / "spool.sqlite"), perms::owner_read | perms::owner_write);
}

TEST_F(SpoolTest, TakesLargeRequestsOneByOneAndSmallOnesTogether) {
  Spool spool(Options());
  SpoolEntry large = Entry("jo", "large");
  large.proposals = 5000;
  spool.Add(large);
  spool.Add(Entry("jo", "one"));
  spool.Add(Entry("jo", "two"));
  spool.Add(large);
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"large"}));
  spool.Remove({spool.Read(1, 1).front().id});
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"one", "two"}));
}

TEST_F(SpoolTest, IsBoundedInEntriesAndInBytes) {
  SpoolOptions few = Options();
  few.max_entries = 2;
  Spool spool(few);
  spool.Add(Entry("jo", "one"));
  spool.Add(Entry("jo", "two"));
  EXPECT_EQ(spool.Add(Entry("jo", "three")), SpoolOutcome::kFull);
  spool.Remove({spool.Read(1, 1).front().id});
  EXPECT_EQ(spool.Add(Entry("jo", "three")), SpoolOutcome::kAdded);

  SpoolOptions small = Options();
  small.folder = folder_.path() / "small";
  small.max_bytes = 2000;
  Spool bytes(small);
  EXPECT_EQ(bytes.Add(Entry("jo", std::string(600, 'x'))), SpoolOutcome::kAdded);
  EXPECT_EQ(bytes.Add(Entry("jo", std::string(600, 'x'))), SpoolOutcome::kFull)
      << "payload, digest and the row itself";
  EXPECT_EQ(Payloads(&bytes).size(), 1U);
}

TEST_F(SpoolTest, KnowsAKeyThatComesAgain) {
  Spool spool(Options());
  EXPECT_EQ(spool.Add(Entry("jo", "one", "k")), SpoolOutcome::kAdded);
  EXPECT_EQ(spool.Add(Entry("jo", "one", "k")), SpoolOutcome::kRepeated);
  EXPECT_EQ(spool.Add(Entry("jo", "two", "k")), SpoolOutcome::kKeyReused);
  EXPECT_EQ(spool.Add(Entry("al", "two", "k")), SpoolOutcome::kAdded) << "another one's key";
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"one", "two"}));
}

TEST_F(SpoolTest, WhoAddsLetsOthersLeaveFirst) {
  Spool spool(Options());
  spool.LetOthersLeave();  // none waits
  for (int i = 0; i < 4; ++i) spool.Add(Entry("jo", std::to_string(i)));
  spool.LetOthersLeave();  // none leaves
  const auto leave = [&] { spool.Remove({spool.Read(1, 1).front().id}); };
  leave();
  std::atomic<int64_t> seen = -1;
  std::thread adds([&] {
    spool.LetOthersLeave();
    seen = spool.waiting();
  });
  while (spool.waiting() > 0) leave();
  adds.join();
  EXPECT_GE(seen, 0) << "it came back";
}

TEST_F(SpoolTest, SetsAsideWhatIsRefusedAndThrowsNothingAway) {
  Spool spool(Options());
  spool.Add(Entry("jo", "bad"));
  spool.Add(Entry("jo", "good"));
  const int64_t bytes = spool.bytes();
  spool.Bury(spool.Read(1, 1).front().id, "no such label");
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"good"}));
  EXPECT_EQ(spool.waiting(), 1);
  EXPECT_EQ(spool.dead(), 1);
  EXPECT_EQ(spool.bytes(), bytes);
  const std::vector<DeadLetter> dead = spool.DeadLetters(10);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].entry.contributor, "jo");
  EXPECT_EQ(dead[0].why, "no such label");
}

TEST_F(SpoolTest, WhatWasSetAsideWaitsAgainBehindTheOthersOrIsThrownAway) {
  Spool spool(Options());
  spool.Add(Entry("jo", "bad", "k"));
  spool.Add(Entry("jo", "good"));
  const std::string spooled_at = spool.Read(1, 1).front().spooled_at;
  const int64_t id = spool.Read(1, 1).front().id, bytes = spool.bytes();
  spool.Bury(id, "no such label");
  EXPECT_TRUE(spool.Revive(id));
  EXPECT_FALSE(spool.Revive(id)) << "it is there once";
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"good", "bad"}));
  EXPECT_EQ(spool.waiting(), 2);
  EXPECT_EQ(spool.dead(), 0);
  EXPECT_EQ(spool.bytes(), bytes);
  const SpoolEntry last = spool.Read(2, 2).back();
  EXPECT_GT(last.id, id + 1);
  EXPECT_EQ(last.idempotency_key, "k");
  EXPECT_EQ(last.spooled_at, spooled_at);
  spool.Bury(last.id, "no such label");
  EXPECT_FALSE(spool.Discard(id).has_value()) << "it has another id now";
  const auto thrown_away = spool.Discard(last.id);
  ASSERT_TRUE(thrown_away.has_value());
  EXPECT_EQ(thrown_away->entry.payload, "bad");
  EXPECT_EQ(thrown_away->why, "no such label");
  EXPECT_EQ(spool.dead(), 0);
}

TEST_F(SpoolTest, OneThatWasSetAsideStaysThereWhileItsKeyWaitsWithAnother) {
  Spool spool(Options());
  spool.Add(Entry("jo", "bad", "k"));
  const int64_t id = spool.Read(1, 1).front().id;
  spool.Bury(id, "no such label");
  spool.Add(Entry("jo", "another", "k"));
  try {
    spool.Revive(id);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kConflict);
  }
  EXPECT_EQ(spool.dead(), 1);
  EXPECT_EQ(Payloads(&spool), std::vector<std::string>({"another"}));
}

TEST_F(SpoolTest, TellsWhatWaitsOfOneContributorTheNewestFirst) {
  Spool spool(Options());
  const auto add = [&](const char* name, const char* payload, int64_t proposals) {
    SpoolEntry entry = Entry(name, payload);
    entry.proposals = proposals;
    spool.Add(entry);
  };
  add("jo", "oldest", 70);
  add("al", "other", 1);
  add("jo", "older", 60);
  add("jo", "newest", 60);
  const auto of = [&](const char* name, int64_t most) {
    std::vector<std::string> payloads;
    for (const SpoolEntry& entry : spool.WaitingOf(name, most).entries) {
      payloads.push_back(entry.payload);
    }
    return payloads;
  };
  EXPECT_EQ(spool.WaitingOf("jo", 100).proposals, 190);
  EXPECT_EQ(of("jo", 100), std::vector<std::string>({"newest", "older"}));
  EXPECT_EQ(of("jo", 121), std::vector<std::string>({"newest", "older", "oldest"}));
  EXPECT_EQ(of("al", 100), std::vector<std::string>({"other"}));
  EXPECT_EQ(of("someone", 100), std::vector<std::string>());
}

TEST_F(SpoolTest, RefusesAFolderThatIsNone) {
  WriteFileDurably(folder_.path() / "spool", "a file");
  try {
    Spool spool(Options());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(e.what()).find("name another with --spool"), std::string::npos)
        << e.what();
  }
}

TEST_F(SpoolTest, RefusesTheFileOfANewerServer) {
  Spool{Options()};
  SqliteDatabase(Options().folder / "spool.sqlite").Execute("PRAGMA user_version = 7");
  try {
    Spool spool(Options());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
  }
}

Proposal Sample() {
  Proposal proposal;
  proposal.text = "550 5.1.1 <jane@example.org> user unknown";
  proposal.contributor = "jo";
  proposal.comment = "ask bob@example.net";
  proposal.labels[Index(Task::kAction)] = FindLabel(Task::kAction, "user_unknown");
  proposal.labels[Index(Task::kBnac)] = FindLabel(Task::kBnac, "RECIPIENT_NOT_FOUND");
  proposal.model[Index(Task::kAction)] = ModelAnswer{3, 0.3F, 12};
  return proposal;
}

TEST(SpoolPayload, HoldsMaskedTextsAndReadsBackWhole) {
  std::vector<Proposal> proposals = {Sample(), Sample()};
  MakeReady(&proposals);
  SpoolEntry entry = Entry("jo", WritePayload(proposals));
  EXPECT_EQ(entry.payload.find("jane"), std::string::npos);
  EXPECT_EQ(entry.payload.find("bob"), std::string::npos);
  const std::vector<Proposal> read = ReadPayload(entry);
  ASSERT_EQ(read.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read[i].text, "550 5.1.1 <__email__> user unknown");
    EXPECT_EQ(read[i].comment, "ask __email__");
    EXPECT_EQ(read[i].contributor, "jo");
    EXPECT_EQ(read[i].labels, proposals[i].labels);
    EXPECT_EQ(read[i].delivery_id, proposals[i].delivery_id);
    EXPECT_EQ(FaultOf(read[i]), std::nullopt);
    ASSERT_TRUE(read[i].model[Index(Task::kAction)].has_value());
    EXPECT_EQ(read[i].model[Index(Task::kAction)]->label, 3U);
    EXPECT_EQ(read[i].model[Index(Task::kAction)]->probability, 0.3F);
    EXPECT_EQ(read[i].model[Index(Task::kAction)]->version, 12);
    EXPECT_FALSE(read[i].model[Index(Task::kBnac)].has_value());
  }
  EXPECT_NE(read[0].delivery_id, read[1].delivery_id);
}

TEST(SpoolPayload, ACommentThatMaskingMakesLongerStillFits) {
  std::vector<Proposal> proposals = {Sample()};
  proposals[0].comment.clear();
  while (proposals[0].comment.size() + 8 < kMaxCommentBytes) proposals[0].comment += "a@b.org ";
  MakeReady(&proposals);
  EXPECT_LE(proposals[0].comment.size(), kMaxCommentBytes);
  EXPECT_EQ(FaultOf(proposals[0]), std::nullopt);
}

TEST(SpoolPayload, WhatIsNoneIsRefused) {
  for (const char* payload :
       {"", "{}", R"({"format":2,"proposals":[]})",
        R"({"format":1,"proposals":[{"text":"x","delivery_id":"","label":"no","model":{}}]})"}) {
    EXPECT_THROW(ReadPayload(Entry("jo", payload)), Error) << payload;
  }
}

TEST(Delivery, WaitsLongerFromFailureToFailureUpToFiveSeconds) {
  std::vector<int64_t> waits;
  for (const int failures : {1, 2, 3, 6, 7, 1000}) {
    waits.push_back(Delivery::WaitAfter(failures).count());
  }
  EXPECT_EQ(waits, std::vector<int64_t>({100, 200, 400, 3200, 5000, 5000}));
}

}  // namespace
}  // namespace rebound
