// rebound-labels: the label store from the command line.
#include <array>

#include "base/program_options.h"
#include "labelstore/commands.h"
#include "labelstore/model_commands.h"

namespace rebound {
namespace {

constexpr std::array<Command, 18> kCommands = {{
    {"migrate", "make or bring up to date the schema in the database", RunMigrate},
    {"seed", "expand the seed corpus into labelled texts and store them", RunSeed},
    {"import", "store labelled texts of a CSV or JSON Lines file", RunImport},
    {"export", "write what training sees as JSON Lines", RunExport},
    {"stats", "count what the store holds", RunStats},
    {"snapshot", "freeze what the store holds for a training run; list, diff, export, import",
     RunSnapshot},
    {"lineage", "tell everything that made a model", RunLineage},
    {"must-pass", "keep texts that every model must get right", RunMustPass},
    {"promote", "make a version the one that serves", RunPromote},
    {"rollback", "go back to the version that served before", RunRollback},
    {"shadow", "run a candidate beside what serves, unseen by users", RunShadow},
    {"registry", "keep the bundles of a fleet in the store", RunRegistry},
    {"corpus", "count the templates of the seed corpus and find near copies", RunCorpus},
    {"review", "decide what contributors proposed", RunReview},
    {"roles", "make the roles of least privilege", RunRoles},
    {"backup", "write the whole store into one file", RunBackup},
    {"restore", "bring a backup back into an empty database", RunRestore},
    {"retain", "forget old proposals that train nothing", RunRetain},
}};

int Main(int argc, const char* const* argv) {
  return RunCommand(
      "rebound-labels",
      "rebound-labels keeps the labelled bounces that the classifiers are trained from.", kCommands,
      "The database is --store URI or $REBOUND_STORE, such as\n"
      "  postgresql:///rebound?host=/tmp/socket-folder&user=rebound\n"
      "Exit codes: 0 done, 1 failed (or an import with bad rows), 2 wrong usage.\n",
      argc, argv);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-labels", [&] { return rebound::Main(argc, argv); });
}
