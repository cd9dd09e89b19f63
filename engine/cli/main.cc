// rebound: classifies bounces from the command line.
#include <array>

#include "base/program_options.h"
#include "engine/cli/commands.h"

namespace rebound {
namespace {

constexpr std::array<Command, 2> kCommands = {{
    {"classify", "classify texts, files, messages and logs", RunClassify},
    {"bundle", "show and check a bundle of a model", RunBundle},
}};

int Main(int argc, const char* const* argv) {
  return RunCommand("rebound", "rebound tells what a bounce means: the same answers as the server.",
                    kCommands,
                    "  rebound classify '550 5.1.1 user unknown' --models models/released\n"
                    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
                    argc, argv);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound", [&] { return rebound::Main(argc, argv); });
}
