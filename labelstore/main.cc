// rebound-labels: the label store from the command line.
#include <array>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/program_options.h"
#include "labelstore/commands.h"

namespace rebound {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, const char* const* argv);
};

constexpr std::array<Command, 7> kCommands = {{
    {"migrate", "make or bring up to date the schema in the database", RunMigrate},
    {"seed", "expand the seed corpus into labelled texts and store them", RunSeed},
    {"import", "store labelled texts of a CSV or JSON Lines file", RunImport},
    {"export", "write what training sees as JSON Lines", RunExport},
    {"stats", "count what the store holds", RunStats},
    {"snapshot", "freeze what the store holds for a training run", RunSnapshot},
    {"corpus", "count the templates of the seed corpus and find near copies", RunCorpus},
}};

int Main(int argc, const char* const* argv) {
  if (argc > 1) {
    for (const Command& command : kCommands) {
      if (command.name == argv[1]) return command.run(argc - 1, argv + 1);
    }
  }
  CommandLine line;
  line.summary = "rebound-labels keeps the labelled bounces that the classifiers are trained from.";
  line.usage = "rebound-labels COMMAND [OPTIONS]   (rebound-labels COMMAND --help tells more)";
  line.epilogue = "Commands:\n";
  for (const Command& command : kCommands) {
    std::string name(command.name);
    name.resize(10, ' ');
    line.epilogue += "  " + name + std::string(command.summary) + "\n";
  }
  line.epilogue +=
      "\nThe database is --store URI or $REBOUND_STORE, such as\n"
      "  postgresql:///rebound?host=/tmp/socket-folder&user=rebound\n"
      "Exit codes: 0 done, 1 failed (or an import with bad rows), 2 wrong usage.\n";
  if (argc > 1 && argv[1][0] != '-') {
    throw Error(ErrorCode::kInvalidArgument,
                "unknown command '" + std::string(argv[1]) + "' (see rebound-labels --help)");
  }
  if (!ParseOptions(argc, argv, line)) return 0;
  throw Error(ErrorCode::kInvalidArgument, "name a command (see rebound-labels --help)");
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-labels", [&] { return rebound::Main(argc, argv); });
}
