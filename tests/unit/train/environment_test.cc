#include "train/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace rebound {
namespace {

TEST(EnvironmentTest, PinsEverythingThatChangesBits) {
  const auto pinned = PinnedEnvironment(2);
  EXPECT_EQ(pinned.at("OPENBLAS_NUM_THREADS"), "1");
  EXPECT_EQ(pinned.at("OMP_NUM_THREADS"), "2");
  EXPECT_EQ(pinned.at("OMP_WAIT_POLICY"), "passive");
  EXPECT_TRUE(pinned.contains("ATEN_CPU_CAPABILITY"));
#if defined(__x86_64__)
  EXPECT_TRUE(pinned.contains("OPENBLAS_CORETYPE"));
#endif
}

TEST(EnvironmentTest, IsPinnedLooksAtEveryVariable) {
  for (const auto& [name, value] : PinnedEnvironment(1)) setenv(name.c_str(), value.c_str(), 1);
  EXPECT_TRUE(IsPinned(1));
  EXPECT_FALSE(IsPinned(2));
  unsetenv("OMP_WAIT_POLICY");
  EXPECT_FALSE(IsPinned(1));
}

TEST(EnvironmentTest, AChildGetsEachVariableOnce) {
  setenv("OMP_NUM_THREADS", "77", 1);
  setenv("REBOUND_TEST_OTHER", "kept", 1);
  int threads = 0;
  int others = 0;
  for (const std::string& variable : PinnedVariables(3)) {
    if (variable.rfind("OMP_NUM_THREADS=", 0) == 0) {
      ++threads;
      EXPECT_EQ(variable, "OMP_NUM_THREADS=3");
    }
    if (variable == "REBOUND_TEST_OTHER=kept") ++others;
  }
  EXPECT_EQ(threads, 1);
  EXPECT_EQ(others, 1);
}

}  // namespace
}  // namespace rebound
