// The must-pass list in PostgreSQL, and what a model makes of it.
#include "labelstore/must_pass.h"

#include "base/file.h"
#include "stores.h"

namespace rebound {
namespace {

MustPass Entry(const std::string& text, std::string_view label, bool must = true) {
  MustPass entry;
  entry.text = text;
  entry.label = FindLabel(Task::kBnac, label).value();
  entry.must = must;
  entry.added_by = "anna";
  entry.reason = "ticket 81";
  return entry;
}

class MustPassTest : public testing::Test {
 protected:
  const std::string uri_ = test::SharedCluster().NewStore();
  PostgresConnection connection_{uri_};
  MustPassList list_{&connection_};
};

TEST_F(MustPassTest, AnEntryIsMaskedAndKnowsWhoAndWhy) {
  const int64_t id = list_.Add(Entry("550 user unknown: bob@example.org", "RECIPIENT_NOT_FOUND"));
  EXPECT_EQ(list_.Add(Entry("550 user unknown: eve@example.org", "RECIPIENT_NOT_FOUND")), id)
      << "the same text once it is masked";
  const auto entries = list_.Read();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].text.find("bob"), std::string::npos) << entries[0].text;
  EXPECT_EQ(entries[0].added_by, "anna");
  EXPECT_EQ(entries[0].reason, "ticket 81");
  EXPECT_EQ(entries[0].added_at.size(), 20u);
  MustPass nobody = Entry("550 x", "SPF");
  nobody.added_by = " ";
  EXPECT_EQ(ErrorOf([&] { list_.Add(nobody); }), "invalid_argument: must-pass: say who adds it");
  EXPECT_EQ(ErrorOf([&] { list_.Add(Entry(" ", "SPF")); }),
            "invalid_argument: must-pass: the text is blank");
}

TEST_F(MustPassTest, EntriesThatContradictEachOtherAreAConflict) {
  list_.Add(Entry("550 user unknown", "RECIPIENT_NOT_FOUND"));
  EXPECT_EQ(ErrorOf([&] { list_.Add(Entry("550 user unknown", "SPF")); }),
            "conflict: must-pass 1 says that this text must get RECIPIENT_NOT_FOUND: remove that "
            "one first (rebound-labels must-pass remove)");
  EXPECT_EQ(ErrorOf([&] { list_.Add(Entry("550 user unknown", "RECIPIENT_NOT_FOUND", false)); }),
            "conflict: must-pass 1 says that this text must get RECIPIENT_NOT_FOUND: remove that "
            "one first (rebound-labels must-pass remove)");
  list_.Add(Entry("550 user unknown", "SPF", false));
  list_.Add(Entry("550 user unknown", "DKIM", false));
  EXPECT_EQ(list_.Read().size(), 3u);
}

TEST_F(MustPassTest, AnEntryIsRemovedOnceAndStaysAsHistory) {
  const int64_t id = list_.Add(Entry("550 user unknown", "RECIPIENT_NOT_FOUND"));
  list_.Remove(id, "bob");
  EXPECT_TRUE(list_.Read().empty());
  EXPECT_EQ(ErrorOf([&] { list_.Remove(id, "bob"); }),
            "not_found: no must-pass 1 is in force (rebound-labels must-pass list)");
  EXPECT_EQ(Value(uri_, "SELECT added_by || ' ' || removed_by FROM rebound.must_pass"), "anna bob");
  for (const char* statement : {"UPDATE rebound.must_pass SET text = 'x'",
                                "UPDATE rebound.must_pass SET removed_at = NULL, removed_by = NULL",
                                "DELETE FROM rebound.must_pass"}) {
    EXPECT_NE(ErrorOf([&] { Change(uri_, statement); }), "no error") << statement;
  }
  list_.Add(Entry("550 user unknown", "SPF"));
  EXPECT_EQ(list_.Read().size(), 1u) << "what was removed contradicts nothing";
}

TEST_F(MustPassTest, AFileIsReadWholeOrNotAtAllAndAListIsReadBack) {
  const std::string file =
      "{\"task\":\"bnac\",\"text\":\"550 user unknown\",\"must\":\"RECIPIENT_NOT_FOUND\","
      "\"reason\":\"r\"}\n\n{\"task\":\"action\",\"text\":\"550 spf\",\"never\":\"user_unknown\","
      "\"reason\":\"r\",\"by\":\"eve\"}\n";
  EXPECT_EQ(list_.AddAll(ParseMustPass(file, "anna")), 2u);
  std::string listed;
  for (const MustPass& entry : list_.Read()) listed += WriteMustPass(entry);
  EXPECT_EQ(list_.AddAll(ParseMustPass(listed, "")), 0u);
  EXPECT_EQ(list_.Read()[0].added_by, "anna");
  EXPECT_EQ(list_.Read()[1].added_by, "eve");
  const auto error = [](const std::string& line) {
    return ErrorOf([&] { ParseMustPass("\n" + line, "anna"); });
  };
  EXPECT_EQ(error("{\"task\":\"bnac\",\"text\":\"x\",\"must\":\"user_unknown\",\"reason\":\"r\"}"),
            "invalid_argument: line 2: must-pass: task bnac has no label 'user_unknown'");
  EXPECT_EQ(error("{\"task\":\"bnac\",\"text\":\"x\",\"reason\":\"r\"}"),
            "invalid_argument: line 2: must-pass: give one of 'must' and 'never'");
}

TEST(CheckMustPassTest, TellsForEachEntryOfTheTaskWhatTheModelSays) {
  const TempFolder folder;
  BundleStore bundles(folder.path());
  const auto classifier = Classifier::Load(Publish(&bundles));
  MustPass other_task = Entry("550 spamhaus", "BLOCK_LIST");
  other_task.task = Task::kAction;
  other_task.label = 0;
  const auto results = CheckMustPass(
      *classifier,
      {Entry("550 listed by spamhaus", "BLOCK_LIST"), Entry("550 listed by spamhaus", "SPF", false),
       Entry("550 listed by spamhaus", "RECIPIENT_NOT_FOUND"),
       Entry("550 listed by spamhaus", "BLOCK_LIST", false), other_task});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_TRUE(results[0].passed);
  EXPECT_TRUE(results[1].passed);
  EXPECT_FALSE(results[2].passed);
  EXPECT_FALSE(results[3].passed);
  const std::string told = Describe(results[2]);
  EXPECT_EQ(told.substr(0, 62), "must-pass 0 must get RECIPIENT_NOT_FOUND and gets BLOCK_LIST (");
  EXPECT_NE(told.find("'550 listed by spamhaus', said anna: ticket 81"), std::string::npos) << told;
  EXPECT_EQ(Describe(results[3]).substr(0, 39), "must-pass 0 must never get BLOCK_LIST a");
}

}  // namespace
}  // namespace rebound
