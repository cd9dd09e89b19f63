// A real nginx of a test: unprivileged, all of its files in a folder of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/file.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {

// One that nobody listens on at this moment.
inline uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

class Nginx {
 public:
  // `http`: what stands in the block http and listens on `port`. Throws where it does not come up.
  Nginx(const std::string& http, uint16_t port) {
    const std::string folder = folder_.path();
    std::ofstream(folder + "/nginx.conf")
        << "daemon off;\nmaster_process off;\npid " << folder << "/pid;\nerror_log " << folder
        << "/error.log warn;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\n"
        << "client_body_temp_path " << folder << "/body;\nproxy_temp_path " << folder
        << "/proxy;\nfastcgi_temp_path " << folder << "/fastcgi;\nuwsgi_temp_path " << folder
        << "/uwsgi;\nscgi_temp_path " << folder << "/scgi;\n"
        << http << "}\n";
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string configuration = folder + "/nginx.conf", log = folder + "/start.log";
      execl("/usr/sbin/nginx", "nginx", "-p", folder.c_str(), "-e", log.c_str(), "-c",
            configuration.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 1000; ++i) {
      try {
        HttpClient connection(port);
        return;
      } catch (const std::runtime_error&) {
        if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
        poll(nullptr, 0, 10);
      }
    }
    throw std::runtime_error("nginx does not come up (apt install nginx-light): " + Errors());
  }
  ~Nginx() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  // What it logged.
  std::string Errors() const {
    std::string text;
    for (const char* name : {"start.log", "error.log"}) {
      std::error_code none;
      if (std::filesystem::exists(folder_.path() / name, none)) {
        text += ReadFile(folder_.path() / name);
      }
    }
    return text;
  }

 private:
  TempFolder folder_;
  pid_t pid_ = -1;
};

}  // namespace rebound
