#include "tests/load/serve/load_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <utility>

#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the server hung up");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

// Bytes of a whole answer to `request`: all later ones must have as many.
size_t AnswerBytes(int fd, const std::string& request) {
  SendAll(fd, request);
  std::string answer;
  char bytes[65536];
  for (;;) {
    const ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    if (count <= 0) throw std::runtime_error("the server hung up");
    answer.append(bytes, static_cast<size_t>(count));
    const size_t end = answer.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::string lower = AsciiLower(std::string_view(answer).substr(0, end));
    const size_t length = lower.find("content-length: ");
    if (length == std::string::npos) throw std::runtime_error("an answer without a length");
    const size_t all = end + 4 + std::stoul(lower.substr(length + 16));
    if (answer.size() > all) throw std::runtime_error("more than one answer");
    if (answer.size() == all) return all;
  }
}

int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    throw std::runtime_error("cannot connect");
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Whether the answer is the connection's last, by its head.
bool SaysGoodbye(std::string_view answer) {
  return AsciiLower(answer.substr(0, answer.find("\r\n\r\n"))).find("connection: close") !=
         std::string::npos;
}

constexpr std::string_view kGood = "HTTP/1.1 200 ";

struct Flight {
  int fd = -1;
  size_t received = 0;
  bool last = false;  // the server closes after this answer
  Clock::time_point sent;
};

}  // namespace

LoadClient::LoadClient(uint16_t port, int connections)
    : port_(port), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  for (int i = 0; i < connections; ++i) sockets_.push_back(Connect(port));
}

LoadClient::~LoadClient() {
  for (const int fd : sockets_) close(fd);
  close(epoll_fd_);
}

Load LoadClient::Run(const std::string& request, std::chrono::nanoseconds time) {
  const size_t answer_bytes = AnswerBytes(sockets_[0], request);
  std::vector<Flight> flights(sockets_.size());
  Load load;
  load.latencies_ns.reserve(1 << 18);
  const auto start = Clock::now();
  const auto end = start + time;
  const auto watch = [&](size_t i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, flights[i].fd, &event);
  };
  for (size_t i = 0; i < flights.size(); ++i) {
    flights[i].fd = sockets_[i];
    watch(i);
    flights[i].sent = Clock::now();
    SendAll(flights[i].fd, request);
  }
  size_t open = flights.size();
  char bytes[65536];
  epoll_event events[64];
  while (open > 0) {
    const int ready = epoll_wait(epoll_fd_, events, 64, 10'000);
    if (ready <= 0) throw std::runtime_error("no answer for ten seconds");
    for (int i = 0; i < ready; ++i) {
      const size_t index = events[i].data.u64;
      Flight& flight = flights[index];
      const ssize_t count = recv(flight.fd, bytes, sizeof bytes, 0);
      if (count <= 0 && !flight.last) throw std::runtime_error("the server hung up");
      const std::string_view came(bytes, static_cast<size_t>(count));
      if (flight.received == 0) {
        if (came.substr(0, kGood.size()) != kGood) {
          throw std::runtime_error("no 200: " + std::string(came));
        }
        flight.last = SaysGoodbye(came);
      }
      flight.received += came.size();
      if (flight.last ? count > 0 : flight.received < answer_bytes) continue;
      if (!flight.last && flight.received > answer_bytes) {
        throw std::runtime_error("an answer of another size: " + std::string(came));
      }
      const auto now = Clock::now();
      load.latencies_ns.push_back(static_cast<uint32_t>((now - flight.sent).count()));
      flight.received = 0;
      if (std::exchange(flight.last, false)) {
        ++load.goodbyes;
        close(flight.fd);
        flight.fd = sockets_[index] = Connect(port_);
        watch(index);
      }
      flight.sent = now;
      if (now < end) {
        SendAll(flight.fd, request);
      } else {
        epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, flight.fd, nullptr);
        --open;
      }
    }
  }
  const std::chrono::duration<double> taken = Clock::now() - start;
  load.requests_per_second = static_cast<double>(load.latencies_ns.size()) / taken.count();
  return load;
}

}  // namespace rebound
