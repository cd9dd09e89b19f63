#include "train/corpus.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace rebound {
namespace {

TEST(SideTest, HeldOutGroupsJudgeAndNothingElseDoes) {
  for (int i = 0; i < 500; ++i) {
    const std::string group = "group-" + std::to_string(i);
    EXPECT_EQ(SideOf(group, true), Side::kJudge);
    EXPECT_NE(SideOf(group, false), Side::kJudge);
    EXPECT_EQ(SideOf(group, false), SideOf(group, false));
  }
}

TEST(SideTest, AboutItsShareOfTheOtherGroupsCalibrates) {
  int calibrating = 0;
  for (int i = 0; i < 5000; ++i) {
    if (SideOf("group-" + std::to_string(i), false) == Side::kCalibrate) ++calibrating;
  }
  EXPECT_NEAR(calibrating, 5000 * kCalibratePercent / 100, 100);
}

TEST(SideTest, TheSliceOfAGroupNeverChanges) {
  // Known answers: another salt would let rows that chose a model's epochs train its successor.
  EXPECT_EQ(SideOf("alpha", false), Side::kTrain);
  EXPECT_EQ(SideOf("", false), SideOf("", false));
}

TEST(CorpusTest, ASnapshotThatIsNotThereIsNamed) {
  const auto store = MakeMemoryLabelStore();
  try {
    ReadCorpus(store.get(), 77, nullptr);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(e.what(),
                 "snapshot 77 is not in the label store; leave --snapshot out to make a new one");
  }
}

TEST(CorpusTest, AnEmptyStoreSaysHowToFillIt) {
  const auto store = MakeMemoryLabelStore();
  const int64_t id = store->MakeSnapshot().id;
  try {
    ReadCorpus(store.get(), id, nullptr);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(e.what(),
                 "the label store holds no labelled text; fill it with `rebound-labels seed`");
  }
}

TEST(CorpusTest, RowsComeNormalisedWithGroupsNumbered) {
  const auto store = MakeMemoryLabelStore();
  std::vector<Submission> texts(3);
  texts[0].text = "550 5.1.1 User UNKNOWN";
  texts[0].group = "a";
  texts[1].text = "421 try again later";
  texts[1].group = "b";
  texts[2].text = "550 no such user here";
  texts[2].group = "a";
  for (Submission& text : texts) {
    text.labels[Index(Task::kBnac)] = 0;
    text.contributor = "test";
  }
  store->Submit(texts);
  const Corpus corpus = ReadCorpus(store.get(), store->MakeSnapshot().id, nullptr);
  ASSERT_EQ(corpus.rows.size(), 3u);
  EXPECT_EQ(corpus.groups, 2);
  const auto row_of = [&](std::string_view words) -> const CorpusRow& {
    for (const CorpusRow& row : corpus.rows) {
      if (row.normalised.find(words) != std::string::npos) return row;
    }
    throw std::runtime_error("no row says " + std::string(words));
  };
  EXPECT_EQ(row_of("user unknown").group, row_of("no such user").group);
  EXPECT_NE(row_of("user unknown").group, row_of("try again").group);
  EXPECT_EQ(row_of("user unknown").labels[Index(Task::kBnac)], 0);
  EXPECT_EQ(row_of("user unknown").labels[Index(Task::kAction)], -1);
}

TEST(CorpusTest, ReadingStopsWhenTold) {
  const auto store = MakeMemoryLabelStore();
  Submission text;
  text.text = "550 user unknown";
  text.labels[Index(Task::kBnac)] = 0;
  text.contributor = "test";
  store->Submit({text});
  const int64_t id = store->MakeSnapshot().id;
  EXPECT_THROW(ReadCorpus(store.get(), id, [] { return true; }), Error);
}

}  // namespace
}  // namespace rebound
