// rebound: classifies bounces from the command line.
#include <array>
#include <csignal>

#include "base/program_options.h"
#include "engine/cli/commands.h"

namespace rebound {
namespace {

constexpr std::array<Command, 4> kCommands = {{
    {"classify", "classify texts, files, messages and logs", RunClassify},
    {"facts", "codes, waiting time, block list and provider of a text", RunFacts},
    {"overrides", "test, check and reload the rules that go before the models", RunOverrides},
    {"bundle", "show and check a bundle of a model", RunBundle},
}};

int Main(int argc, const char* const* argv) {
  return RunCommand("rebound", "rebound tells what a bounce means: the same answers as the server.",
                    kCommands,
                    "  rebound classify '550 5.1.1 user unknown' --models models/released\n"
                    "  rebound classify --log auto /var/log/mail.log --quiet\n"
                    "  rebound overrides test '552 over quota' example.com --overrides rules.ovr\n"
                    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
                    argc, argv);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  // `rebound ... | head` ends quietly, whoever started it.
  std::signal(SIGPIPE, SIG_DFL);
  return rebound::RunMain("rebound", [&] { return rebound::Main(argc, argv); });
}
