// The environment that makes training repeat bit for bit.
//
// OpenBLAS, OpenMP and LibTorch read these variables when they are loaded, before main, so a
// program pins them by executing itself once more. Bundles record them.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rebound {

using Environment = std::map<std::string, std::string>;

// The variables and their values for `threads` torch threads on this machine: vector width is
// pinned to AVX2 where the CPU has it, so that wider CPUs give the same bits.
Environment PinnedEnvironment(int threads);
// The same for a run that is to repeat one that recorded `recorded`: its values, as far as this
// CPU can compute by them.
Environment PinnedLike(const Environment& recorded, int threads);

bool IsPinned(const Environment& pinned);

// Returns where the environment is pinned already; else executes this program again with it and
// does not return. Throws kInternal where that fails or did not help.
void ExecutePinned(char* const* argv, const Environment& pinned);

// The libraries in this process that compute, the compiler and the C library, with their versions:
// {"libtorch_cpu", "libtorch_cpu.so.1.13.1"}. Bundles record them too.
Environment LoadedLibraries();

// What differs, a sentence each: "ATEN_CPU_CAPABILITY was avx2 and is default". Names that
// `recorded` lacks are passed over: an older program recorded fewer.
std::vector<std::string> CompareEnvironments(const Environment& recorded, const Environment& now);

// This process's variables with the pinned ones set, as "NAME=value" for a child.
std::vector<std::string> PinnedVariables(int threads);

}  // namespace rebound
