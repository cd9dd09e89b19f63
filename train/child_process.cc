#include "train/child_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <thread>

#include "base/error.h"

extern char** environ;

namespace rebound {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::string>& variables) {
  const std::vector<char*> arguments = Pointers(argv);
  const std::vector<char*> environment = Pointers(variables);
  char** chosen = variables.empty() ? environ : const_cast<char**>(environment.data());
  const int failure =
      posix_spawn(&pid_, argv[0].c_str(), nullptr, nullptr, arguments.data(), chosen);
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
  constexpr auto kPause = std::chrono::milliseconds(20);
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

}  // namespace rebound
