// The commands of rebound-labels that are about snapshots, models and what they must pass; by the
// rules of labelstore/commands.h.
#pragma once

namespace rebound {

int RunSnapshot(int argc, const char* const* argv);
int RunLineage(int argc, const char* const* argv);
int RunMustPass(int argc, const char* const* argv);
int RunPromote(int argc, const char* const* argv);
int RunRollback(int argc, const char* const* argv);
int RunShadow(int argc, const char* const* argv);
int RunRegistry(int argc, const char* const* argv);

}  // namespace rebound
