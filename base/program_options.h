// The one way every binary reads its options: flag beats environment variable beats config file.
//
// Each option --some-name is also REBOUND_SOME_NAME in the environment and `some-name = value` in
// the file of --config. Variables of other programs are ignored; unknown flags and unknown keys of
// the file are errors. Adds --help, --version (unless the options have their own) and --config by
// itself. Thread-compatible.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace rebound {

struct CommandLine {
  // First line of --help: what the program does. Then the usage line(s).
  std::string summary;
  std::string usage;
  // Printed under the options: examples, exit codes.
  std::string epilogue;
  boost::program_options::options_description options;
  // Names that take positional words, in order; a trailing -1 count takes all the rest.
  boost::program_options::positional_options_description positional;
  // Environment names besides REBOUND_*: {"API_KEY", "api-key"}.
  std::map<std::string, std::string> other_variables;
};

// What was said, or nullopt where --help or --version was answered on standard output (exit 0).
// Throws kInvalidArgument naming the option for anything wrong (mains exit 2).
std::optional<boost::program_options::variables_map> ParseOptions(int argc, const char* const* argv,
                                                                  const CommandLine& line);

// A program of several commands: `program NAME [OPTIONS]`.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, const char* const* argv);  // argv[0] is the command's name
};
// Runs the command that argv[1] names. Without one, --help tells of all of them; `about` and
// `epilogue` stand above and below that. Throws kInvalidArgument for a command that is not there.
int RunCommand(std::string_view program, const std::string& about,
               std::span<const Command> commands, const std::string& epilogue, int argc,
               const char* const* argv);

// One JSON object on a line of standard output.
void PrintJson(const std::function<void(JsonWriter&)>& body);

// The exit code, once standard output is written. Throws kUnavailable where it could not be.
int Finish(int code = 0);

// Runs `body` and turns what it throws into one line on standard error and an exit code:
// kInvalidArgument 2, kCancelled 130, any other Error 1.
int RunMain(std::string_view program, const std::function<int()>& body);

}  // namespace rebound
