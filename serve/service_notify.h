// Tells a service manager (systemd, Type=notify) how the service does.
//
// The protocol is one datagram of lines to the socket that $NOTIFY_SOCKET names; it is spoken here
// in a few lines because libsystemd would bring a dozen libraries into the server. Without the
// variable nothing is told. Thread-compatible.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rebound {

class ServiceNotifier {
 public:
  // Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment: children are not the service.
  ServiceNotifier();

  void Ready(std::string_view status) const;
  void Reloading() const;
  void Stopping() const;
  void Alive() const;

  // How often Alive is expected at least; nullopt: never.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  void Tell(const std::string& state) const;

  std::string address_;  // of the socket; empty: nobody listens
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace rebound
