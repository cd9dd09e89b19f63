// Runs *.case files (tests/api/README.md) against an Api without sockets.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rebound::test {

std::vector<std::filesystem::path> CaseFiles(const std::filesystem::path& folder);

// Every case of the file, in order, against one Api; failures are GoogleTest's, with file, line and
// title.
void RunCaseFile(const std::filesystem::path& file);

}  // namespace rebound::test
