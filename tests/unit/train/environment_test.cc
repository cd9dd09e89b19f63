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
  EXPECT_TRUE(IsPinned(PinnedEnvironment(1)));
  EXPECT_FALSE(IsPinned(PinnedEnvironment(2)));
  unsetenv("OMP_WAIT_POLICY");
  EXPECT_FALSE(IsPinned(PinnedEnvironment(1)));
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

TEST(EnvironmentTest, ARepeatedRunIsPinnedAsTheFirstOneWas) {
  Environment recorded = PinnedEnvironment(1);
  recorded["ATEN_CPU_CAPABILITY"] = "default";
  recorded["OMP_NUM_THREADS"] = "3";
  recorded["device"] = "cpu";
  const Environment pinned = PinnedLike(recorded, 3);
  EXPECT_EQ(pinned.at("ATEN_CPU_CAPABILITY"), "default") << "every CPU can compute so";
  EXPECT_EQ(pinned.at("OMP_NUM_THREADS"), "3");
  EXPECT_FALSE(pinned.contains("device")) << "no variable";
}

TEST(EnvironmentTest, DifferencesAreNamedAndWhatWasNotRecordedIsNone) {
  const Environment now = {{"ATEN_CPU_CAPABILITY", "default"}, {"compiler", "12"}, {"glibc", "2"}};
  EXPECT_EQ(
      CompareEnvironments({{"ATEN_CPU_CAPABILITY", "avx2"}, {"compiler", "12"}, {"x", "1"}}, now),
      (std::vector<std::string>{"ATEN_CPU_CAPABILITY was avx2 and is default",
                                "x was 1 and is not there"}));
  EXPECT_TRUE(CompareEnvironments({}, now).empty());
}

TEST(EnvironmentTest, LibrariesAreToldWithTheirVersions) {
  const Environment libraries = LoadedLibraries();
  EXPECT_FALSE(libraries.at("compiler").empty());
  EXPECT_EQ(libraries.at("glibc").substr(0, 2), "2.");
}

}  // namespace
}  // namespace rebound
