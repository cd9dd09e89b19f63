#include "serve/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/log.h"

namespace rebound {
namespace {

std::string TakeVariable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace

ServiceNotifier::ServiceNotifier() : address_(TakeVariable("NOTIFY_SOCKET")) {
  const std::string interval = TakeVariable("WATCHDOG_USEC");
  const std::string process = TakeVariable("WATCHDOG_PID");
  const bool ours = process.empty() || process == std::to_string(getpid());
  const long long usec = std::atoll(interval.c_str());
  if (ours && usec > 0) watchdog_ = std::chrono::microseconds(usec);
}

void ServiceNotifier::Ready(std::string_view status) const {
  Tell("READY=1\nSTATUS=" + std::string(status));
}

void ServiceNotifier::Reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto usec = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

void ServiceNotifier::Stopping() const { Tell("STOPPING=1\nSTATUS=finishing what is in flight"); }

void ServiceNotifier::Alive() const { Tell("WATCHDOG=1"); }

void ServiceNotifier::Tell(const std::string& state) const {
  if (address_.empty()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const bool known =
      (address_[0] == '/' || address_[0] == '@') && address_.size() < sizeof to.sun_path;
  const int fd = known ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
  bool told = false;
  if (fd >= 0) {
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (address_[0] == '@') to.sun_path[0] = '\0';  // an abstract name
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    told = sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&to),
                  length) == static_cast<ssize_t>(state.size());
    close(fd);
  }
  if (!told) {
    Log(LogLevel::kWarning, "cannot tell the service manager",
        {{"socket", address_}, {"state", state.substr(0, state.find('\n'))}});
  }
}

}  // namespace rebound
