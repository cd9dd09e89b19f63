// A blocking HTTP client for tests: says exactly the bytes it is told, reads exactly one answer.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace rebound {

struct Reply {
  int status = 0;                              // 0: the connection ended before a whole answer
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(uint16_t port, int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      const int error = errno;
      close(fd_);
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(error));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  virtual ~HttpClient() { Close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // False where the server has hung up.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = Write(bytes);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // How long the calls below wait for a byte where they are not told: ten seconds otherwise.
  void SetPatience(std::chrono::milliseconds patience) { patience_ = patience; }

  // More bytes into the buffer; false at the end of the stream or after the patience.
  bool Receive() { return Receive(patience_); }
  bool Receive(std::chrono::milliseconds patience) {
    pollfd poll_fd{fd_, POLLIN, 0};
    if (!HasUnread() && poll(&poll_fd, 1, static_cast<int>(patience.count())) <= 0) return false;
    char bytes[65536];
    const ssize_t count = Read(bytes, sizeof bytes);
    if (count <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(count));
    return true;
  }

  // One whole answer. `head`: it has no body whatever its Content-Length says.
  Reply ReadReply(bool head = false) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return {};
    }
    Reply reply;
    reply.status = std::atoi(buffer_.c_str() + sizeof "HTTP/1.1");
    for (std::string_view line : Split(std::string_view(buffer_).substr(0, end), '\n')) {
      const size_t colon = line.find(": ");
      if (colon == std::string_view::npos) continue;
      reply.headers[AsciiLower(line.substr(0, colon))] = std::string(Trim(line.substr(colon + 2)));
    }
    const auto length = reply.headers.find("content-length");
    const size_t body = head || length == reply.headers.end() ? 0 : std::stoul(length->second);
    while (buffer_.size() < end + 4 + body) {
      if (!Receive()) return {};
    }
    reply.body = buffer_.substr(end + 4, body);
    buffer_.erase(0, end + 4 + body);
    return reply;
  }

  Reply Ask(std::string_view bytes) {
    Send(bytes);
    return ReadReply();
  }

  // Reads on until the server closes; false where it did not within the patience.
  bool ServerCloses() {
    while (Receive()) {
    }
    return closed_;
  }

  void FinishSending() { ::shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Close with a reset instead of a FIN.
  void Reset() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    Close();
  }
  const std::string& unread() const { return buffer_; }
  bool closed() const { return closed_; }  // by the server
  int fd() const { return fd_; }

 protected:
  // What a client over TLS does its own way.
  virtual ssize_t Write(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  virtual ssize_t Read(char* bytes, size_t size) { return recv(fd_, bytes, size, 0); }
  virtual bool HasUnread() const { return false; }  // decrypted already

 private:
  int fd_;
  bool closed_ = false;
  std::chrono::milliseconds patience_ = std::chrono::seconds(10);
  std::string buffer_;
};

inline std::string PostRequest(std::string_view path, std::string_view body,
                               std::string_view extra_headers = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n" +
         std::string(extra_headers) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

inline std::string GetRequest(std::string_view path, std::string_view extra_headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(extra_headers) +
         "\r\n";
}

}  // namespace rebound
