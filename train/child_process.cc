#include "train/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/text.h"

extern char** environ;

namespace rebound {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::string>& variables,
                           const std::filesystem::path& output) {
  const std::vector<char*> arguments = Pointers(argv);
  const std::vector<char*> environment = Pointers(variables);
  char** chosen = variables.empty() ? environ : const_cast<char**>(environment.data());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!output.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  const int failure =
      posix_spawn(&pid_, argv[0].c_str(), &actions, nullptr, arguments.data(), chosen);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    pid_ = -1;
    throw Error(failure == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "cannot start " + argv[0] + ": " + std::strerror(failure));
  }
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  Terminate();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> ChildProcess::Poll() {
  if (status_) return status_;
  int status = 0;
  const pid_t done = waitpid(pid_, &status, WNOHANG);
  if (done != pid_) return std::nullopt;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

void ChildProcess::Terminate() {
  if (pid_ > 0 && !status_) kill(pid_, SIGTERM);
}

std::vector<int> RunCommands(const std::vector<std::vector<std::string>>& commands,
                             const std::vector<std::string>& variables, size_t jobs,
                             const std::function<bool()>& stop) {
  constexpr int kNeverStarted = 130;
  std::vector<int> statuses(commands.size(), kNeverStarted);
  std::map<size_t, std::unique_ptr<ChildProcess>> running;  // by position of the command
  size_t next = 0;
  bool stopped = false;
  while (next < commands.size() || !running.empty()) {
    if (!stopped && stop && stop()) {
      stopped = true;
      next = commands.size();
      for (auto& [position, child] : running) child->Terminate();
    }
    for (; next < commands.size() && running.size() < jobs; ++next) {
      running[next] = std::make_unique<ChildProcess>(commands[next], variables);
    }
    for (auto it = running.begin(); it != running.end();) {
      const std::optional<int> status = it->second->Poll();
      if (status) statuses[it->first] = *status;
      it = status ? running.erase(it) : std::next(it);
    }
    if (!running.empty()) std::this_thread::sleep_for(kPause);
  }
  return statuses;
}

int RunCommandInto(const std::filesystem::path& output, const std::vector<std::string>& argv,
                   const std::function<bool()>& stop) {
  ChildProcess child(argv, {}, output);
  bool stopped = false;
  while (true) {
    if (const std::optional<int> status = child.Poll()) return *status;
    if (!stopped && stop && stop()) {
      stopped = true;
      child.Terminate();
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::filesystem::path FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : Split(path == nullptr ? "" : path, ':')) {
    if (folder.empty()) continue;
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return {};
}

}  // namespace rebound
