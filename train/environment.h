// The environment that makes training repeat bit for bit.
//
// OpenBLAS, OpenMP and LibTorch read these variables when they are loaded, before main, so a
// program pins them by executing itself once more. Bundles record them.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rebound {

// The variables and their values for `threads` torch threads on this machine: vector width is
// pinned to AVX2 where the CPU has it, so that wider CPUs give the same bits.
std::map<std::string, std::string> PinnedEnvironment(int threads);

bool IsPinned(int threads);

// Returns where the environment is pinned already; else executes this program again with it and
// does not return. Throws kInternal where that fails or did not help.
void ExecutePinned(char* const* argv, int threads);

// This process's variables with the pinned ones set, as "NAME=value" for a child.
std::vector<std::string> PinnedVariables(int threads);

}  // namespace rebound
