// A child program that is ended when the run is cancelled. Thread-compatible.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rebound {

class ChildProcess {
 public:
  // Starts argv[0] (a path) with `variables` ("NAME=value"; empty: this process's own). Standard
  // streams are shared, but standard output goes to the file `output` where one is named. Throws
  // kNotFound where the program is not there.
  ChildProcess(const std::vector<std::string>& argv, const std::vector<std::string>& variables,
               const std::filesystem::path& output = {});
  // Ends a child that still runs (SIGTERM) and waits for it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Exit status (128 + signal where a signal ended it), or nullopt while it runs.
  std::optional<int> Poll();
  void Terminate();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs every command, at most `jobs` at a time, and returns their exit statuses in order;
// `variables` as above. Where `stop` says so, those that run are terminated and the others get
// status 130.
std::vector<int> RunCommands(const std::vector<std::vector<std::string>>& commands,
                             const std::vector<std::string>& variables, size_t jobs,
                             const std::function<bool()>& stop);

// Runs one command whose standard output goes to the file `output`, and returns its exit status.
int RunCommandInto(const std::filesystem::path& output, const std::vector<std::string>& argv,
                   const std::function<bool()>& stop);

// Where the shell would find `name`: the first executable file of that name in $PATH; empty for
// none.
std::filesystem::path FindProgram(const std::string& name);

}  // namespace rebound
