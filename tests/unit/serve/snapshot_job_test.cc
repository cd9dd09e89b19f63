// One snapshot at a time, which outlives the patience of whoever asked for it.
#include "serve/snapshot_job.h"

#include <gtest/gtest.h>

#include <future>

namespace rebound {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

SnapshotInfo Made(int64_t id) { return {id, "digest", 7, "2026-05-01T12:00:00Z"}; }

TEST(SnapshotJobTest, TellsWhatWasMadeToWhoWaits) {
  int64_t id = 0;
  SnapshotJob job([&] { return Made(++id); });
  EXPECT_TRUE(job.Look().started_at.empty());
  for (const int64_t expected : {1, 2}) {
    const auto status = job.Start(hours(1));
    ASSERT_TRUE(status.has_value());
    EXPECT_FALSE(status->running);
    EXPECT_EQ(status->snapshot->id, expected);
    EXPECT_FALSE(status->ended_at.empty());
    EXPECT_EQ(job.Look().snapshot->id, expected);
  }
}

TEST(SnapshotJobTest, GoesOnWhereItTakesLongerAndIsAlone) {
  std::promise<void> may_end;
  SnapshotJob job([&, end = may_end.get_future().share()] {
    end.wait();
    return Made(1);
  });
  const auto begun = job.Start(milliseconds(0));
  ASSERT_TRUE(begun.has_value());
  EXPECT_TRUE(begun->running);
  EXPECT_TRUE(begun->ended_at.empty());
  EXPECT_FALSE(job.Start(hours(1)).has_value()) << "one at a time";
  EXPECT_TRUE(job.Look().running);
  EXPECT_FALSE(job.Stop(milliseconds(0))) << "it still runs";
  may_end.set_value();
  EXPECT_TRUE(job.Stop(hours(1)));
  EXPECT_EQ(job.Look().snapshot->id, 1);
  EXPECT_FALSE(job.Start(hours(1)).has_value()) << "none starts after Stop";
}

TEST(SnapshotJobTest, TellsWhyOneFailedAndMakesTheNext) {
  bool fails = true;
  SnapshotJob job([&] {
    if (fails) throw Error(ErrorCode::kUnavailable, "the store is away");
    return Made(1);
  });
  const auto failed = job.Start(hours(1));
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->error->code(), ErrorCode::kUnavailable);
  EXPECT_STREQ(failed->error->what(), "the store is away");
  EXPECT_FALSE(failed->snapshot.has_value());
  fails = false;
  const auto made = job.Start(hours(1));
  EXPECT_EQ(made->snapshot->id, 1);
  EXPECT_FALSE(made->error.has_value());
}

}  // namespace
}  // namespace rebound
