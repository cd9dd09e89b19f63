// The commands of `rebound`. Each takes its own words (argv[0] is its name), prints to standard
// output and returns the exit code; throws Error as RunMain takes it.
#pragma once

namespace rebound {

int RunClassify(int argc, const char* const* argv);
int RunFacts(int argc, const char* const* argv);
int RunOverrides(int argc, const char* const* argv);
int RunBundle(int argc, const char* const* argv);

}  // namespace rebound
