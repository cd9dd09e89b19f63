#include "serve/door/door.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pistache/listener.h>
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
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "serve/door/connection.h"
#include "serve/door/slow_writer.h"
#include "serve/door/tls_files.h"
#include "serve/door/worker.h"

namespace rebound {
namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr size_t kMostWakes = 8;  // unanswered, of one worker
constexpr int kBacklog = 1024;    // connections that wait for accept; the system may cut it
constexpr int kTlsLook = 8;       // ticks from one look at the TLS files to the next

class Lane;

// The lanes that Pistache cloned for its threads.
struct Lanes {
  std::mutex mutex;
  std::vector<std::weak_ptr<Lane>> all;
};

// Pistache tells it of new connections, and of nothing else.
class Greeter : public Pistache::Tcp::Handler {
 public:
  std::shared_ptr<Pistache::Tcp::Handler> clone() const override {
    return std::make_shared<Greeter>();
  }

 private:
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
  void onInput(const char*, size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
};

// One instance a reactor thread; all calls but Wake come on that thread. Pistache itself would read
// a client for as long as it has anything to say, and the others would wait: who asks again the
// moment it is answered may be quicker than the next read. So clients' descriptors are read by a
// Worker, in turns.
class Lane : public Pistache::Tcp::Transport {
 public:
  Lane(ConnectionContext* context, Lanes* lanes, size_t max_connections)
      : Transport(std::make_shared<Greeter>()),
        context_(context),
        lanes_(lanes),
        max_connections_(max_connections),
        worker_(context, max_connections, [this](int fd) { Close(fd); }) {}
  ~Lane() override {
    worker_.ForgetAll();
    for (const auto& [fd, peer] : peers)
      ::close(fd);  // the reactor is half gone: not by removePeer
  }

  std::shared_ptr<Pistache::Aio::Handler> clone() const override {
    auto lane = std::make_shared<Lane>(context_, lanes_, max_connections_);
    const std::lock_guard lock(lanes_->mutex);
    lanes_->all.push_back(lane);
    return lane;
  }

  // Hands the lane a connection of our own that is closed at once: its loop turns, which releases
  // new connections whose wake-up Pistache lost (about 1 in 10^5), and Welcome below holds the
  // time-outs.
  void Wake() {
    const std::lock_guard lock(wakes_mutex_);
    if (wakes_.size() == kMostWakes) return;  // it is busy, not asleep
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return;
    ::close(pair[1]);
    wakes_.push_back(Pistache::Tcp::Peer::Create(pair[0], Pistache::Address("127.0.0.1", 0)));
    worker_.lag().Hand(Connection::Clock::now());
    handleNewPeer(wakes_.back());
  }

  void Welcome(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    Guard([&] {
      if (IsWake(peer)) return Tick();
      try {
        worker_.Open(peer->fd());
      } catch (...) {
        ::shutdown(peer->fd(), SHUT_RDWR);
        throw;
      }
    });
  }

  LoopLag& lag() { return worker_.lag(); }

 private:
  void registerPoller(Pistache::Polling::Epoll& poller) override {
    using namespace Pistache::Polling;
    Transport::registerPoller(poller);
    poller.addFd(worker_.turns_fd(), Pistache::Flags<NotifyOn>(NotifyOn::Read),
                 Tag(static_cast<uint64_t>(worker_.turns_fd())), Mode::Level);
  }

  void onReady(const Pistache::Aio::FdSet& ready) override {
    Guard([&] {
      using namespace Pistache::Polling;
      worker_.BeginRound();
      std::vector<Event> others;  // Pistache's own
      for (const auto& entry : ready) {
        const auto& event = (const Event&)entry;  // a private base, that alone tells of Shutdown
        const int fd = static_cast<int>(event.tag.value());
        if (fd == worker_.turns_fd()) continue;
        const bool ended =
            event.flags.hasFlag(NotifyOn::Shutdown) || event.flags.hasFlag(NotifyOn::Hangup);
        if (worker_.Ready(fd, ended)) continue;
        if (peers.count(fd) != 0) {
          Close(fd);  // a wake, or one that nobody could be made for
        } else {
          others.push_back(event);
        }
      }
      if (!others.empty()) Transport::onReady(Pistache::Aio::FdSet(std::move(others)));
    });
    Guard([&] { worker_.FinishRound(); });
  }

  void Close(int fd) {
    const auto it = peers.find(fd);
    if (it == peers.end()) return;
    const auto peer = it->second;
    Guard([&] { departed_.push_back(peer); });
    Guard([&] { removePeer(peer); });
  }

  // An exception in the reactor would end the process.
  template <class Body>
  static void Guard(Body body) noexcept {
    try {
      body();
    } catch (const std::exception& e) {
      Log(LogLevel::kError, "connection lost", {{"cause", e.what()}});
    }
  }

  bool IsWake(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    const std::lock_guard lock(wakes_mutex_);
    return std::erase(wakes_, peer) != 0;
  }

  void Tick() {
    worker_.Tick();
    long_departed_ = std::exchange(departed_, {});
  }

  ConnectionContext* const context_;
  Lanes* const lanes_;
  const size_t max_connections_;
  std::mutex wakes_mutex_;
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> wakes_;  // handed over, not seen yet
  // Kept for a tick or two: Pistache's acceptor may hold a peer a moment longer than its whole
  // life, and what this thread made must not be destroyed by that one.
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> departed_;
  std::vector<std::shared_ptr<Pistache::Tcp::Peer>> long_departed_;
  Worker worker_;
};

void Greeter::onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  static_cast<Lane*>(transport())->Welcome(peer);
}

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
  Lanes lanes;
  std::unique_ptr<Pistache::Tcp::Listener> listener;
  uint16_t port = 0;

  std::mutex mutex;
  std::condition_variable stop_changed;
  bool stopping = false;
  std::thread ticker;

  void RunTicker() {
    std::unique_lock lock(mutex);
    for (int tick = 1; !stop_changed.wait_for(lock, kTick, [&] { return stopping; }); ++tick) {
      try {
        ForLanes([](Lane& lane) { lane.Wake(); });
        if (tls != nullptr && tick % kTlsLook == 0) tls->Look(TlsFiles::Clock::now());
      } catch (const std::exception& e) {
        Log(LogLevel::kError, "no tick", {{"cause", e.what()}});
      }
    }
  }

  template <class Body>
  void ForLanes(Body body) {
    const std::lock_guard lock(lanes.mutex);
    for (const auto& weak : lanes.all) {
      if (const auto lane = weak.lock()) body(*lane);
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
  context.witness = options.witness;
  context.slow_writer = &state_->slow_writer;
  context.peers = &state_->peers;
  if (options.tls.enabled()) {
    state_->tls = std::make_unique<TlsFiles>(options.tls);
    context.tls = state_->tls.get();
  }
  try {
    using Pistache::Tcp::Options;
    state_->listener = std::make_unique<Pistache::Tcp::Listener>(
        Pistache::Address(options.host, Pistache::Port(options.port)));
    state_->listener->init(
        static_cast<size_t>(options.threads),
        Pistache::Flags<Options>(Options::ReuseAddr | Options::NoDelay | Options::CloseOnExec),
        "rebound-http", kBacklog);
    state_->listener->setHandler(std::make_shared<Greeter>());
    state_->listener->setTransportFactory([state = state_.get(), most = options.max_connections] {
      return std::make_shared<Lane>(&state->context, &state->lanes, most);
    });
    state_->listener->bind();
    state_->listener->runThreaded();
    state_->port = state_->listener->getPort();
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
  state_->listener->shutdown();
  state_->listener.reset();
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
  state_->ForLanes([&](Lane& lane) {
    stats.wait = std::max(
        stats.wait, std::chrono::duration_cast<std::chrono::microseconds>(lane.lag().Wait(now)));
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
