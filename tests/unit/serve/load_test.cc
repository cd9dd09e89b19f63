#include "serve/door/load.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = LoopLag::Clock::time_point;

TEST(Shed, NothingWhileTheDoorKeepsUp) {
  LoadLimits limits;
  limits.max_unanswered = 10;
  limits.max_wait = seconds(2);
  EXPECT_EQ(Shed(limits, 0, seconds(0)), "");
  EXPECT_EQ(Shed(limits, 9, seconds(2)), "");
}

TEST(Shed, SaysWhatThereIsTooMuchOf) {
  LoadLimits limits;
  limits.max_unanswered = 10;
  limits.max_wait = seconds(2);
  EXPECT_EQ(Shed(limits, 10, seconds(0)), "too many requests wait for their answer");
  EXPECT_EQ(Shed(limits, 0, milliseconds(2001)), "requests wait too long to be read");
}

TEST(LoopLag, IsWhatTheLastMarkWaited) {
  LoopLag lag;
  const Time start(seconds(100));
  EXPECT_EQ(lag.Wait(start), seconds(0));
  lag.Hand(start);
  lag.Reach(start + milliseconds(30));
  EXPECT_EQ(lag.Wait(start + seconds(5)), milliseconds(30));
}

TEST(LoopLag, GrowsWhileAMarkWaits) {
  LoopLag lag;
  const Time start(seconds(100));
  lag.Hand(start);
  lag.Hand(start + milliseconds(250));
  EXPECT_EQ(lag.Wait(start + seconds(3)), seconds(3)) << "the oldest counts";
  Time handed;
  ASSERT_TRUE(lag.OldestMark(&handed));
  EXPECT_EQ(handed, start);
  lag.Reach(start + seconds(3));
  EXPECT_EQ(lag.Wait(start + seconds(3)), seconds(3));
  lag.Reach(start + seconds(3));
  EXPECT_EQ(lag.Wait(start + seconds(9)), seconds(3))
      << "marks that come together tell of one wait";
  EXPECT_FALSE(lag.OldestMark(&handed));
  lag.Hand(start + seconds(10));
  lag.Reach(start + seconds(10));
  EXPECT_EQ(lag.Wait(start + seconds(11)), seconds(0));
}

TEST(PeerCounts, HoldsEachPeerToItsShare) {
  PeerCounts peers(2);
  EXPECT_TRUE(peers.Add("a"));
  EXPECT_TRUE(peers.Add("a"));
  EXPECT_FALSE(peers.Add("a"));
  EXPECT_TRUE(peers.Add("b"));
  peers.Remove("a");
  EXPECT_TRUE(peers.Add("a"));
}

TEST(PeerCounts, CountsNothingWithoutALimit) {
  PeerCounts peers(0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(peers.Add("a"));
  peers.Remove("a");
}

}  // namespace
}  // namespace rebound
