// What tests of datasources share: all rows of one Read, and a server that never answers.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "datasource/datasource.h"
#include "tests/integration/labelstore/errors.h"

namespace rebound::test {

using Rows = std::vector<std::vector<std::string>>;

inline Rows ReadAll(Datasource* source, std::string_view query, size_t columns) {
  Rows rows;
  source->Read(query, columns, [&](std::span<const std::string_view> fields) {
    rows.emplace_back(fields.begin(), fields.end());
  });
  return rows;
}

inline Rows ReadAll(const std::string& uri, std::string_view query, size_t columns,
                    DatasourceLimits limits = {}) {
  return ReadAll(OpenDatasource(uri, limits).get(), query, columns);
}

// "code: message" of the Error that a Read gives.
inline std::string ReadError(const std::string& uri, std::string_view query, size_t columns,
                             DatasourceLimits limits = {}) {
  return ErrorOf([&] { ReadAll(uri, query, columns, limits); });
}

// Takes connections of 127.0.0.1 and says nothing on them.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(fd_, address, size) != 0 || ::listen(fd_, 8) != 0 ||
        ::getsockname(fd_, address, &size) != 0) {
      throw std::runtime_error("no socket for a silent server");
    }
  }
  ~SilentServer() { ::close(fd_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::string port() const { return std::to_string(ntohs(address_.sin_port)); }

 private:
  int fd_;
  sockaddr_in address_{};
};

}  // namespace rebound::test
