#include "serve/background.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <vector>

namespace rebound {
namespace {

TEST(Background, DoesWhatWaitsInOrderAndRefusesMoreThanItHolds) {
  std::vector<int> done;
  std::optional<Background> background(2);
  std::promise<void> begun;
  std::promise<void> go;
  ASSERT_TRUE(background->Post([&] {
    begun.set_value();
    go.get_future().wait();
    done.push_back(0);
  }));
  begun.get_future().wait();
  EXPECT_TRUE(background->Post([&] { done.push_back(1); }));
  EXPECT_TRUE(background->Post([&] { done.push_back(2); }));
  EXPECT_FALSE(background->Post([&] { done.push_back(3); }));
  go.set_value();
  background.reset();
  EXPECT_EQ(done, std::vector<int>({0, 1, 2})) << "the end waits for what was taken";
}

TEST(Background, SeveralThreadsWorkAtOnce) {
  std::promise<void> first, second;
  Background background(2, 2);
  // Each ends when the other has begun.
  background.Post([&] {
    first.set_value();
    second.get_future().wait();
  });
  background.Post([&] {
    second.set_value();
    first.get_future().wait();
  });
  background.Stop();
}

TEST(Background, EndsWithNothingToDo) { const Background idle(1); }

}  // namespace
}  // namespace rebound
