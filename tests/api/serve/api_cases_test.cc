#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/api/serve/case_runner.h"

namespace rebound::test {
namespace {

class ApiCases : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ApiCases, AreAnsweredAsWritten) { RunCaseFile(GetParam()); }

std::filesystem::path CasesFolder() {
  const char* source = std::getenv("REBOUND_SOURCE");
  return std::filesystem::path(source == nullptr ? "." : source) / "tests/api/cases";
}

INSTANTIATE_TEST_SUITE_P(Files, ApiCases, testing::ValuesIn(CaseFiles(CasesFolder())),
                         [](const auto& file) {
                           std::string name = file.param.stem().string();
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace rebound::test
