// The server as a systemd service: what it tells the manager, and the unit file.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <regex>

#include "tests/functional/hostile/hostile_server.h"

namespace rebound {
namespace {

// A service manager's end of the notify socket.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0) << std::strerror(errno);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(fd_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next message; "" where none comes.
  std::string Hear(int patience_ms = 20'000) const {
    pollfd poll_fd{fd_, POLLIN, 0};
    if (poll(&poll_fd, 1, patience_ms) != 1) return "";
    char text[4096];
    const ssize_t length = recv(fd_, text, sizeof text, 0);
    return {text, static_cast<size_t>(std::max<ssize_t>(0, length))};
  }

 private:
  int fd_;
};

class ServiceTest : public test::HostileTest {
 protected:
  std::string ListeningStatus() const {
    return "READY=1\nSTATUS=listening on 127.0.0.1:" + std::to_string(port());
  }
};

TEST_F(ServiceTest, TellsWhenItIsReadyReloadsAndStops) {
  const Manager manager(folder_.path() / "notify");
  Start();
  EXPECT_EQ(manager.Hear(), ListeningStatus());
  EXPECT_TRUE(IsServed("ready")) << "ready means served";
  server_->Signal(SIGHUP);
  EXPECT_TRUE(std::regex_match(manager.Hear(), std::regex("RELOADING=1\nMONOTONIC_USEC=[0-9]+")));
  EXPECT_EQ(manager.Hear(), ListeningStatus());
  server_->Signal(SIGTERM);
  EXPECT_EQ(manager.Hear(), "STOPPING=1\nSTATUS=finishing what is in flight");
  EXPECT_EQ(server_->Wait(), 0);
  EXPECT_EQ(manager.Hear(0), "");
}

TEST_F(ServiceTest, SpeaksToAnAbstractSocketAndKeepsTheWatchdogCalm) {
  const Manager manager("@rebound-test-" + std::to_string(getpid()));
  setenv("WATCHDOG_USEC", "300000", 1);
  Start();
  EXPECT_EQ(manager.Hear(), ListeningStatus());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
}

TEST_F(ServiceTest, RunsWithoutAManagerOrWithABrokenOne) {
  setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  Start();
  unsetenv("NOTIFY_SOCKET");
  ExpectWellAfterwards();
}

TEST_F(ServiceTest, TheUnitFileHoldsWhatItPromises) {
  const char* source = std::getenv("REBOUND_SOURCE");
  const std::filesystem::path deploy = std::filesystem::path(source ? source : ".") / "deploy";
  std::string unit = ReadFile(deploy / "rebound-serve.service");
  for (const char* line : {"Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict",
                           "CapabilityBoundingSet=", "MemoryDenyWriteExecute=yes"}) {
    EXPECT_NE(unit.find(std::string("\n") + line + "\n"), std::string::npos) << line;
  }
  // systemd's own opinion, where systemd is; the program need not be installed for it.
  if (std::system("command -v systemd-analyze >/dev/null") == 0) {
    const std::string program = "/usr/local/bin/rebound-serve";
    for (size_t at; (at = unit.find(program)) != std::string::npos;) {
      unit.replace(at, program.size(), "/bin/true");
    }
    const auto copy = folder_.path() / "rebound-serve.service";
    WriteFileDurably(copy, unit);
    const auto said = folder_.path() / "said";
    EXPECT_EQ(
        std::system(
            ("systemd-analyze verify " + copy.string() + " >" + said.string() + " 2>&1").c_str()),
        0);
    EXPECT_EQ(ReadFile(said), "");
  }
}

TEST_F(ServiceTest, TheConfigurationThatIsShippedIsValid) {
  const char* source = std::getenv("REBOUND_SOURCE");
  const std::string deploy = std::string(source ? source : ".") + "/deploy/";
  ServerProcess check({"--config", deploy + "rebound-serve.conf", "--check-config", "--models",
                       deploy + "../models/released"});
  EXPECT_EQ(check.first_line().substr(0, 20), "ok    door: 127.0.0.");
  EXPECT_EQ(check.Wait(), 0);
}

}  // namespace
}  // namespace rebound
