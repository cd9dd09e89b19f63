// Waits for notifications of one PostgreSQL channel, over a connection of its own that is made
// again when it breaks.
//
// A notification is only a reason to look: what was told while the connection was away is lost, so
// a new connection is reported as one more reason. Thread-compatible.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "datasource/postgres.h"

namespace rebound {

enum class SqlWake : uint8_t {
  kTimeout,    // nothing came, and the connection held all the time
  kNotified,   // somebody notified the channel
  kConnected,  // the connection is new: look for what came while there was none
};

class PostgresListener {
 public:
  // Connects on the first Wait. REQUIRES: `channel` is a plain lower-case SQL name. Throws
  // kInvalidArgument where libpq cannot read `uri`.
  PostgresListener(const std::string& uri, std::string channel, PostgresOptions options = {});
  ~PostgresListener();
  PostgresListener(const PostgresListener&) = delete;
  PostgresListener& operator=(const PostgresListener&) = delete;

  // Returns at once where something came since the last call, else waits for at most `timeout`.
  // While it cannot connect it tries again, with pauses; throws kUnavailable where the time passed
  // without a connection.
  SqlWake Wait(std::chrono::milliseconds timeout);
  // As far as the last Wait knows.
  bool connected() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rebound
