// The released models give the classes that the original documents print.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/api/serve/case_runner.h"

namespace rebound::test {
namespace {

TEST(Released, GivesTheDocumentedClasses) {
  const std::filesystem::path source(std::getenv("REBOUND_SOURCE"));
  for (const char* task : {"bnac", "backoff", "action"}) {
    const auto current = source / "models/released" / task / "CURRENT";
    ASSERT_TRUE(std::filesystem::exists(current))
        << current << " is missing: train and release the models first";
  }
  RunCaseFile(source / "tests/functional/serve/released.case");
}

}  // namespace
}  // namespace rebound::test
