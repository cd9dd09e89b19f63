#include "base/program_options.h"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "base/code_version.h"
#include "base/error.h"
#include "base/text.h"

namespace rebound {

namespace po = boost::program_options;

std::optional<po::variables_map> ParseOptions(int argc, const char* const* argv,
                                              const CommandLine& line) {
  po::options_description all("Options");
  all.add(line.options);
  all.add_options()("config", po::value<std::string>()->value_name("FILE"),
                    "read options from FILE (lines of `name = value`)")("help,h",
                                                                        "print this help");
  // A command whose --version is about something else keeps its own.
  const bool own_version = line.options.find_nothrow("version", false) != nullptr;
  if (!own_version) all.add_options()("version", "print the version");
  po::variables_map values;
  try {
    po::store(po::command_line_parser(argc, argv).options(all).positional(line.positional).run(),
              values);
    if (values.count("help") != 0) {
      std::cout << line.summary << "\n\nUsage: " << line.usage << "\n\n" << all << "\n";
      if (!line.epilogue.empty()) std::cout << line.epilogue << "\n";
      std::cout
          << "Every option --some-name is also REBOUND_SOME_NAME in the environment and\n"
             "`some-name = value` in the --config file; a flag beats a variable beats the file.\n";
      return std::nullopt;
    }
    if (!own_version && values.count("version") != 0) {
      std::cout << "rebound " << CodeVersion() << "\n";
      return std::nullopt;
    }
    const auto name_of = [&](const std::string& variable) -> std::string {
      const auto other = line.other_variables.find(variable);
      if (other != line.other_variables.end()) return other->second;
      constexpr std::string_view kPrefix = "REBOUND_";
      if (variable.rfind(kPrefix, 0) != 0) return "";
      std::string name = AsciiLower(variable.substr(kPrefix.size()));
      for (char& c : name) {
        if (c == '_') c = '-';
      }
      if (name == "help" || name == "version") return "";
      return all.find_nothrow(name, false) != nullptr ? name : "";
    };
    po::store(po::parse_environment(all, name_of), values);
    if (values.count("config") != 0) {
      const auto path = values["config"].as<std::string>();
      std::ifstream file(path);
      if (!file) throw Error(ErrorCode::kInvalidArgument, "--config: cannot open " + path);
      po::store(po::parse_config_file(file, all), values);
    }
    po::notify(values);
  } catch (const po::error& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string(e.what()) + " (see --help)");
  }
  return values;
}

int RunCommand(std::string_view program, const std::string& about,
               std::span<const Command> commands, const std::string& epilogue, int argc,
               const char* const* argv) {
  const std::string name(program);
  size_t width = 0;
  for (const Command& command : commands) {
    if (argc > 1 && command.name == argv[1]) return command.run(argc - 1, argv + 1);
    width = std::max(width, command.name.size());
  }
  CommandLine line;
  line.summary = about;
  line.usage = name + " COMMAND [OPTIONS]   (" + name + " COMMAND --help tells more)";
  line.epilogue = "Commands:\n";
  for (const Command& command : commands) {
    std::string shown(command.name);
    shown.resize(width + 2, ' ');
    line.epilogue += "  " + shown + std::string(command.summary) + "\n";
  }
  line.epilogue += "\n" + epilogue;
  if (argc > 1 && argv[1][0] != '-') {
    throw Error(ErrorCode::kInvalidArgument,
                "unknown command '" + std::string(argv[1]) + "' (see " + name + " --help)");
  }
  if (!ParseOptions(argc, argv, line)) return 0;
  throw Error(ErrorCode::kInvalidArgument, "name a command (see " + name + " --help)");
}

void PrintJson(const std::function<void(JsonWriter&)>& body) {
  std::string out;
  JsonWriter(&out).Object(body);
  std::cout << out << "\n";
}

int Finish(int code) {
  std::cout.flush();
  if (!std::cout) throw Error(ErrorCode::kUnavailable, "cannot write standard output");
  return code;
}

int RunMain(std::string_view program, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& e) {
    std::cerr << program << ": " << e.what() << std::endl;
    if (e.code() == ErrorCode::kInvalidArgument) return 2;
    return e.code() == ErrorCode::kCancelled ? 130 : 1;
  } catch (const std::exception& e) {
    std::cerr << program << ": internal error: " << e.what() << std::endl;
    return 1;
  }
}

}  // namespace rebound
