#include "serve/door/worker.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace rebound {

void Worker::Open(int fd) {
  const auto connection = std::make_shared<Connection>(fd, context_, &lag_, &turns_);
  connections_[fd] = connection;
  Admit(connection.get());
}

void Worker::Admit(Connection* connection) {
  const auto most = static_cast<int64_t>(max_connections_);
  if (context_->open_connections > 2 * most) {
    connection->Drop();  // those that are told why hold descriptors too
  } else if (context_->open_connections > most) {
    connection->Refuse(503, "the server has no connection left");
  } else if (!connection->CountPeer()) {
    connection->Refuse(429, "this address has too many connections");
  }
}

bool Worker::Ready(int fd, bool ended) {
  const auto it = connections_.find(fd);
  if (it == connections_.end()) return false;
  // A copy: the table may change while the connection works.
  const auto connection = it->second;
  connection->OnReadable(ended);
  if (!connection->queued()) Serve(connection);
  return true;
}

void Worker::BeginRound() {
  waiting_ = turns_.size();
  served_ = 0;
}

void Worker::FinishRound() {
  constexpr std::chrono::milliseconds kShort{1};
  if (waiting_ > 0) {
    const size_t fair = std::max<size_t>(1, served_);
    const auto end = Connection::Clock::now() + kShort;
    for (size_t i = 0; i < waiting_ && (i < fair || Connection::Clock::now() < end); ++i) {
      Serve(turns_.Take());
    }
  }
  turns_.Settle();
}

void Worker::Serve(const std::shared_ptr<Connection>& connection) {
  ++served_;
  if (connection->Turn()) return;
  const int fd = connection->fd();
  connection->OnClosing();
  connections_.erase(fd);
  close_(fd);
}

void Worker::Tick() {
  const auto now = Connection::Clock::now();
  lag_.Reach(now);
  for (const auto& [fd, connection] : connections_) connection->Tick(now);
}

void Worker::ForgetAll() {
  for (const auto& [fd, connection] : connections_) connection->OnClosing();
  connections_.clear();
}

}  // namespace rebound
