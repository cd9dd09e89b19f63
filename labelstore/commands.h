// The commands of rebound-labels: each parses its own options and returns the exit code.
#pragma once

namespace rebound {

// argv[0] is the command's name. Throws Error (mains turn it into a line and a code).
int RunMigrate(int argc, const char* const* argv);
int RunSeed(int argc, const char* const* argv);
int RunImport(int argc, const char* const* argv);
int RunExport(int argc, const char* const* argv);
int RunStats(int argc, const char* const* argv);
int RunCorpus(int argc, const char* const* argv);
int RunReview(int argc, const char* const* argv);
int RunRoles(int argc, const char* const* argv);
int RunBackup(int argc, const char* const* argv);
int RunRestore(int argc, const char* const* argv);
int RunRetain(int argc, const char* const* argv);

}  // namespace rebound
