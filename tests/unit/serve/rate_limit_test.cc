#include "serve/rate_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "base/error.h"

namespace rebound {
namespace {

using namespace std::chrono_literals;
using Clock = RateTable::Clock;

constexpr Clock::time_point kStart{1'000'000s};

// How many of `count` calls at this time are granted.
int Granted(RateTable* table, std::string_view caller, const Rate& rate, Clock::time_point now,
            int count) {
  int granted = 0;
  for (int i = 0; i < count; ++i) granted += table->Take(caller, rate, now) ? 0 : 1;
  return granted;
}

TEST(RateTable, GrantsTheBurstAndThenTheRate) {
  RateTable table(100);
  const Rate rate{10, 5};
  EXPECT_EQ(Granted(&table, "a", rate, kStart, 20), 5);
  EXPECT_EQ(Granted(&table, "a", rate, kStart + 99ms, 20), 0);
  EXPECT_EQ(Granted(&table, "a", rate, kStart + 100ms, 20), 1);
  EXPECT_EQ(Granted(&table, "a", rate, kStart + 400ms, 20), 3);
  EXPECT_EQ(Granted(&table, "a", rate, kStart + 1h, 20), 5) << "no more than the burst is saved";
}

TEST(RateTable, TellsHowLongToWait) {
  RateTable table(100);
  const Rate rate{10, 1};
  EXPECT_EQ(table.Take("a", rate, kStart), std::nullopt);
  EXPECT_EQ(table.Take("a", rate, kStart), 100ms);
  EXPECT_EQ(table.Take("a", rate, kStart + 60ms), 40ms);
  EXPECT_EQ(table.Take("a", rate, kStart + 100ms), std::nullopt);
}

TEST(RateTable, WhoHasUsedMoreWaitsForIt) {
  RateTable table(100);
  const Rate rate{100, 100};
  EXPECT_EQ(table.Take("a", rate, kStart), std::nullopt);
  table.Owe("a", rate, 999, kStart);
  EXPECT_EQ(table.Take("a", rate, kStart), 9010ms);
  EXPECT_EQ(table.Take("a", rate, kStart + 9010ms), std::nullopt);
}

TEST(RateTable, CallersAreApart) {
  RateTable table(100);
  const Rate rate{1, 1};
  EXPECT_EQ(table.Take("a", rate, kStart), std::nullopt);
  EXPECT_EQ(table.Take("b", rate, kStart), std::nullopt);
  EXPECT_NE(table.Take("a", rate, kStart), std::nullopt);
}

TEST(RateTable, WithoutALimitNothingIsCounted) {
  RateTable table(100);
  EXPECT_EQ(Granted(&table, "a", Rate(), kStart, 10'000), 10'000);
  table.Owe("a", Rate(), 1'000'000, kStart);
  EXPECT_EQ(table.Take("a", Rate(), kStart), std::nullopt);
}

TEST(RateTable, NoFiguresOverflow) {
  RateTable table(100);
  const Rate slow{1.0 / 3600, 1e9}, fast{1e9, 1};
  EXPECT_EQ(Granted(&table, "slow", slow, kStart, 100), 100);
  for (int i = 0; i < 100; ++i) table.Owe("slow", slow, 1'000'000'000, kStart);
  EXPECT_GE(table.Take("slow", Rate{1, 1}, kStart), 24h);
  EXPECT_EQ(table.Take("fast", fast, kStart), std::nullopt);
  EXPECT_EQ(table.Take("fast", fast, kStart), 1ns);
}

TEST(RateTable, AFloodOfOthersDoesNotFreeWhoIsInDebt) {
  RateTable table(1000);
  const Rate rate{1, 10};
  table.Owe("greedy", rate, 100'000, kStart);
  for (int i = 0; i < 100'000; ++i) table.Take("peer " + std::to_string(i), rate, kStart);
  EXPECT_NE(table.Take("greedy", rate, kStart), std::nullopt);
}

// How many of `callers` are known after each of them has asked once.
int Remembered(size_t room, int callers) {
  RateTable table(room);
  const Rate rate{1, 1};
  for (int i = 0; i < callers; ++i) table.Take("peer " + std::to_string(i), rate, kStart);
  int known = 0;
  for (int i = 0; i < callers; ++i) {
    const std::string caller = "peer " + std::to_string(i);
    if (table.Take(caller, rate, kStart - 1ms)) ++known;
  }
  return known;
}

TEST(RateTable, RemembersAllWhileThereIsRoom) { EXPECT_EQ(Remembered(65536, 2000), 2000); }

TEST(RateTable, RemembersNoMoreThanThereIsRoomFor) {
  const int known = Remembered(4096, 100'000);
  EXPECT_LE(known, 4096);
  EXPECT_GE(known, 3584) << "of each set of 8 one slot changes hands";
}

TEST(RateTable, ThreadsTogetherGetTheBurstAndNoMore) {
  RateTable table(100);
  const Rate rate{1, 1000};
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      granted += Granted(&table, "shared", rate, kStart, 1000);
      const std::string own = "own " + std::to_string(t);
      EXPECT_EQ(Granted(&table, own, rate, kStart, 2000), 1000);
      for (int i = 0; i < 1000; ++i) table.Owe("owing", rate, 1, kStart);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1000);
  EXPECT_EQ(table.Take("owing", rate, kStart), 3001s);
}

std::string RateError(std::string_view text) {
  try {
    ParseRate(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(ParseRate, ReadsCountsAndUnits) {
  EXPECT_EQ(ParseRate("100/s"), (Rate{100, 100}));
  EXPECT_EQ(ParseRate("600/m"), (Rate{10, 600}));
  EXPECT_EQ(ParseRate("3600/h"), (Rate{1, 3600}));
  EXPECT_FALSE(ParseRate("none").limited());
  for (const char* bad : {"", "100", "/s", "0/s", "-1/s", "1.5/s", "1/d", "1/s ", " 1/s", "1e3/s",
                          "10000000000/s", "99999999999999999999/s"}) {
    EXPECT_EQ(RateError(bad),
              "a rate is N/s, N/m, N/h or none, such as 100/s; it is '" + std::string(bad) + "'");
  }
}

}  // namespace
}  // namespace rebound
