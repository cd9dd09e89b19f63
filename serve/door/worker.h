// The connections of one reactor thread, served in rounds: whoever has something new to say gets
// one turn a round. Who has more to say than a turn holds waits in a queue, which gets as many
// turns in a round as the new ones had, and more while the round is short: newcomers never wait for
// the whole queue, and the queue never for more than its like of newcomers.
//
// Knows descriptors and nothing of Pistache. All calls come on the worker's thread but where told.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "serve/door/connection.h"
#include "serve/door/load.h"
#include "serve/door/turns.h"

namespace rebound {

class Worker {
 public:
  // `close` closes a descriptor whose client is gone.
  Worker(ConnectionContext* context, size_t max_connections, std::function<void(int fd)> close)
      : context_(context), max_connections_(max_connections), close_(std::move(close)) {}

  // A client came. Throws where memory is short.
  void Open(int fd);
  // A round begins: the queue's turns are of those that wait by now.
  void BeginRound();
  // A client's turn, unless it waits for one already; false where `fd` is none of a client.
  // `ended`: the end of what it says is there.
  bool Ready(int fd, bool ended);
  // The end of a round: the queue gets its turns.
  void FinishRound();
  // Holds the time-outs.
  void Tick();
  // The descriptors of all clients may be closed when this returns.
  void ForgetAll();

  // Readable while somebody waits for a turn: the next round must come at once.
  int turns_fd() const { return turns_.fd(); }
  LoopLag& lag() { return lag_; }  // of any thread

 private:
  void Admit(Connection* connection);
  void Serve(const std::shared_ptr<Connection>& connection);

  ConnectionContext* const context_;
  const size_t max_connections_;
  const std::function<void(int fd)> close_;
  LoopLag lag_;
  Turns turns_;
  size_t waiting_ = 0;  // when this round began
  size_t served_ = 0;   // in this round
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
};

}  // namespace rebound
