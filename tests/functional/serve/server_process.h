// The real rebound-serve as a child process of a test.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace rebound {

class ServerProcess {
 public:
  // Waits for the line that tells the port; `port()` is 0 where the process ended without it.
  // `launcher` is a command that gets the server's as its last words.
  explicit ServerProcess(std::vector<std::string> arguments,
                         const std::vector<std::string>& launcher = {}) {
    const char* bin = std::getenv("REBOUND_BIN");
    arguments.insert(arguments.begin(),
                     std::string(bin == nullptr ? "build/release/bin" : bin) + "/rebound-serve");
    arguments.insert(arguments.begin(), launcher.begin(), launcher.end());
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      dup2(out[1], STDOUT_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(out[1]);
    for (char c; read(out[0], &c, 1) == 1 && c != '\n';) first_line_.push_back(c);
    out_ = out[0];
    const size_t colon = first_line_.rfind(':');
    if (first_line_.rfind("listening on ", 0) == 0 && colon != std::string::npos) {
      port_ = static_cast<uint16_t>(std::atoi(first_line_.c_str() + colon + 1));
    }
  }
  ~ServerProcess() {
    if (pid_ > 0) {
      Signal(SIGKILL);
      Wait();
    }
    close(out_);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }
  uint16_t port() const { return port_; }
  const std::string& first_line() const { return first_line_; }
  void Signal(int signal) { kill(pid_, signal); }
  // The exit code; 128 + the signal that killed it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  uint16_t port_ = 0;
  std::string first_line_;
};

}  // namespace rebound
