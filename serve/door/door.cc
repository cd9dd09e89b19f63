#include "serve/door/door.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pistache/endpoint.h>
#include <pistache/peer.h>
#include <pistache/transport.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "serve/door/connection.h"
#include "serve/door/slow_writer.h"
#include "serve/door/tls_files.h"

namespace rebound {
namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr size_t kMostWakes = 8;  // unanswered, of one worker
constexpr std::chrono::milliseconds kMonopoly{300};
constexpr int kTlsLook = 8;  // ticks from one look at the TLS files to the next

class Worker;

// The workers that Pistache cloned for its threads.
struct Workers {
  std::mutex mutex;
  std::vector<std::weak_ptr<Worker>> all;
};

// One instance a reactor thread; all calls but Wake come on that thread.
class Worker : public Pistache::Http::Handler {
 public:
  typedef Pistache::Http::details::prototype_tag tag;

  Worker(ConnectionContext* context, Workers* workers, size_t max_connections)
      : context_(context), workers_(workers), max_connections_(max_connections) {}

  std::shared_ptr<Pistache::Tcp::Handler> clone() const override {
    auto worker = std::make_shared<Worker>(context_, workers_, max_connections_);
    const std::lock_guard lock(workers_->mutex);
    workers_->all.push_back(worker);
    return worker;
  }

  // Hands the worker a connection of our own that is closed at once: its loop turns, which releases
  // new connections whose wake-up Pistache lost (about 1 in 10^5), and onConnection below holds the
  // time-outs.
  void Wake() {
    if (transport()->reactor() == nullptr) return;  // the prototype: no thread runs it
    const std::lock_guard lock(wakes_mutex_);
    if (wakes_.size() == kMostWakes) return;  // it is busy, not asleep
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return;
    ::close(pair[1]);
    wakes_.push_back(Pistache::Tcp::Peer::Create(pair[0], Pistache::Address("127.0.0.1", 0)));
    lag_.Hand(Connection::Clock::now());
    transport()->handleNewPeer(wakes_.back());
  }

  const LoopLag& lag() const { return lag_; }

 private:
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter) override {}

  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    Guard(peer, [&] {
      // Pistache's own idle timer reads these; it is set so that it never fires.
      peer->putData(ParserData, std::make_shared<Pistache::Http::RequestParser>(64));
      peer->setIdle(true);
      if (IsWake(peer)) return Tick();
      NoteTurn(peer->fd());
      const auto connection = std::make_shared<Connection>(peer->fd(), context_, &lag_);
      auto& slot = connections_[peer->fd()];
      if (slot != nullptr) slot->OnClosing();  // its descriptor is another's by now
      slot = connection;
      Admit(connection.get());
    });
  }

  void Admit(Connection* connection) {
    const auto most = static_cast<int64_t>(max_connections_);
    if (context_->open_connections > 2 * most) {
      connection->Drop();  // those that are told why hold descriptors too
    } else if (context_->open_connections > most) {
      connection->Refuse(503, "the server has no connection left");
    } else if (!connection->CountPeer()) {
      connection->Refuse(429, "this address has too many connections");
    }
  }

  void onInput(const char* bytes, size_t length,
               const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    const auto it = connections_.find(peer->fd());
    if (it == connections_.end()) return;
    // A copy: the table may change while the connection works.
    const auto connection = it->second;
    NoteTurn(peer->fd());
    if (Monopolises()) connection->OnMonopoly();
    connection->OnInput({bytes, length});
  }

  void onDisconnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    Guard(peer, [&] {
      NoteTurn(peer->fd());
      const auto it = connections_.find(peer->fd());
      if (it != connections_.end()) {
        const auto connection = std::move(it->second);
        connections_.erase(it);
        connection->OnClosing();
        if (!connection->finished()) half_closed_.push_back(connection);
      }
      departed_.push_back(peer);
    });
  }

  // An exception in the reactor would end the process; memory that is short costs one connection.
  template <class Body>
  static void Guard(const std::shared_ptr<Pistache::Tcp::Peer>& peer, Body body) noexcept {
    try {
      body();
    } catch (const std::exception& e) {
      ::shutdown(peer->fd(), SHUT_RDWR);
      Log(LogLevel::kError, "connection lost", {{"cause", e.what()}});
    }
  }

  bool IsWake(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    const std::lock_guard lock(wakes_mutex_);
    return std::erase(wakes_, peer) != 0;
  }

  // Pistache reads one client until it has sent all: who sends without a pause is never left. The
  // sign of it is a mark that waits while every call is for one descriptor.
  void NoteTurn(int fd) {
    if (fd == turn_fd_) return;
    turn_fd_ = fd;
    turn_began_ = Connection::Clock::now();
  }
  bool Monopolises() const {
    Connection::Clock::time_point handed;
    return lag_.OldestMark(&handed) &&
           Connection::Clock::now() - std::max(handed, turn_began_) > kMonopoly;
  }

  void Tick() {
    const auto now = Connection::Clock::now();
    turn_fd_ = -1;
    lag_.Reach(now);
    for (const auto& [fd, connection] : connections_) connection->Tick(now);
    for (const auto& connection : half_closed_) connection->Tick(now);
    std::erase_if(half_closed_, [](const auto& connection) { return connection->finished(); });
    long_departed_ = std::exchange(departed_, {});
  }

  ConnectionContext* const context_;
  Workers* const workers_;
  const size_t max_connections_;
  LoopLag lag_;
  int turn_fd_ = -1;  // whose calls come one after the other, and since when
  Connection::Clock::time_point turn_began_;
  std::mutex wakes_mutex_;
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> wakes_;  // handed over, not seen yet
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> half_closed_;  // their answers are still being sent
  // Kept for a tick or two: Pistache's acceptor may hold a peer a moment longer than its whole
  // life, and what this thread made must not be destroyed by that one.
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> departed_;
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> long_departed_;
};

uint16_t PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return 0;
}

// Pistache hides its listening descriptor.
template <class Body>
void ForListeners(uint16_t port, Body body) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    int listening = 0;
    socklen_t length = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 || listening == 0)
      continue;
    if (PortOf(fd) == port) body(fd);
  }
}

// Pistache listens with room for 128 waiting connections whatever it is told: a larger burst would
// wait a second for its second SYN. To listen again only changes that number.
void RaiseBacklog(uint16_t port) {
  constexpr int kBacklog = 1024;  // the system cuts it to net.core.somaxconn
  ForListeners(port, [](int fd) { ::listen(fd, kBacklog); });
}

// Takes the listening socket from under Pistache: the number stays its own and names a socket that
// nobody can connect to. An accept that is on its way fails with EINVAL, which Pistache survives;
// closing the number would give it to somebody else, and shutdown(2) would make its loop spin.
void CloseListeners(uint16_t port) {
  ForListeners(port, [](int fd) {
    const int dead = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dead < 0) return;
    dup3(dead, fd, O_CLOEXEC);
    ::close(dead);
  });
}

}  // namespace

struct Door::State {
  explicit State(const DoorOptions& options) : peers(options.max_connections_per_peer) {}

  ConnectionContext context;
  PeerCounts peers;
  std::unique_ptr<TlsFiles> tls;
  SlowWriter slow_writer;
  Workers workers;
  std::unique_ptr<Pistache::Http::Endpoint> endpoint;
  uint16_t port = 0;

  std::mutex mutex;
  std::condition_variable stop_changed;
  bool stopping = false;
  std::thread ticker;

  void RunTicker() {
    std::unique_lock lock(mutex);
    for (int tick = 1; !stop_changed.wait_for(lock, kTick, [&] { return stopping; }); ++tick) {
      try {
        ForWorkers([](Worker& worker) { worker.Wake(); });
        if (tls != nullptr && tick % kTlsLook == 0) tls->Look(TlsFiles::Clock::now());
      } catch (const std::exception& e) {
        Log(LogLevel::kError, "no tick", {{"cause", e.what()}});
      }
    }
  }

  template <class Body>
  void ForWorkers(Body body) {
    const std::lock_guard lock(workers.mutex);
    for (const auto& weak : workers.all) {
      if (const auto worker = weak.lock()) body(*worker);
    }
  }
};

Door::Door(const DoorOptions& options, HttpHandler handler)
    : state_(std::make_unique<State>(options)) {
  ConnectionContext& context = state_->context;
  context.handler = std::move(handler);
  context.limits = options.limits;
  context.idle_timeout = options.idle_timeout;
  context.request_timeout = options.request_timeout;
  context.handshake_timeout = options.request_timeout / 3;
  context.min_rate = options.min_rate;
  context.rate_grace = options.rate_grace;
  context.max_buffered_bytes = options.max_buffered_bytes;
  context.load = options.load;
  context.never_shed = options.never_shed;
  context.slow_writer = &state_->slow_writer;
  context.peers = &state_->peers;
  if (options.tls.enabled()) {
    state_->tls = std::make_unique<TlsFiles>(options.tls);
    context.tls = state_->tls.get();
  }
  try {
    using Pistache::Tcp::Options;
    constexpr auto kNever = std::chrono::hours(24 * 365);
    state_->endpoint = std::make_unique<Pistache::Http::Endpoint>(
        Pistache::Address(options.host, Pistache::Port(options.port)));
    state_->endpoint->init(Pistache::Http::Endpoint::options()
                               .threads(options.threads)
                               .threadsName("rebound-http")
                               .flags(Options::ReuseAddr | Options::NoDelay | Options::CloseOnExec)
                               .headerTimeout(kNever)
                               .bodyTimeout(kNever)
                               .keepaliveTimeout(kNever));
    state_->endpoint->setHandler(
        std::make_shared<Worker>(&context, &state_->workers, options.max_connections));
    state_->endpoint->serveThreaded();
    state_->port = state_->endpoint->getPort();
    RaiseBacklog(state_->port);
  } catch (const std::exception& e) {
    throw Error(ErrorCode::kUnavailable, "cannot listen on " + options.host + ":" +
                                             std::to_string(options.port) + ": " + e.what());
  }
  state_->ticker = std::thread([this] { state_->RunTicker(); });
}

Door::~Door() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stop_changed.notify_all();
  state_->ticker.join();
  state_->endpoint->shutdown();
  state_->endpoint.reset();
}

uint16_t Door::port() const { return state_->port; }

size_t Door::open_connections() const {
  return static_cast<size_t>(state_->context.open_connections.load());
}

DoorStats Door::Stats() const {
  const ConnectionContext& context = state_->context;
  DoorStats stats;
  stats.open_connections = context.open_connections;
  stats.in_flight = context.in_flight;
  stats.buffered_bytes = context.buffered_bytes;
  stats.shed = context.shed;
  stats.refused = context.refused;
  stats.tls_handshakes = context.tls_handshakes;
  stats.tls_failures = context.tls_failures;
  if (state_->tls != nullptr) stats.certificate_ends = state_->tls->Current()->not_after();
  const auto now = LoopLag::Clock::now();
  state_->ForWorkers([&](const Worker& worker) {
    stats.wait = std::max(
        stats.wait, std::chrono::duration_cast<std::chrono::microseconds>(worker.lag().Wait(now)));
  });
  return stats;
}

bool Door::ReloadTls() { return state_->tls == nullptr || state_->tls->Reload(); }

void Door::StartDrain() { state_->context.draining = true; }

void Door::StopAccepting() {
  state_->context.closing_idle = true;
  CloseListeners(state_->port);
}

bool Door::WaitDrained(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(state_->mutex);
  // Two looks a tick apart: a request may stand in a socket that no worker has read yet.
  for (int quiet = 0; quiet < 2;) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    state_->stop_changed.wait_for(lock, std::chrono::milliseconds(50));
    quiet = state_->context.in_flight == 0 ? quiet + 1 : 0;
  }
  return true;
}

}  // namespace rebound
