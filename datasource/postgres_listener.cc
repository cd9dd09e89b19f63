#include "datasource/postgres_listener.h"

#include <algorithm>
#include <pqxx/pqxx>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kShortestPause{50};
constexpr milliseconds kLongestPause{2000};

class Receiver : public pqxx::notification_receiver {
 public:
  using pqxx::notification_receiver::notification_receiver;
  void operator()(const std::string&, int) override { came_ = true; }
  bool Take() { return std::exchange(came_, false); }

 private:
  bool came_ = false;
};

}  // namespace

struct PostgresListener::State {
  std::string connection_string;
  std::string description;
  std::string channel;
  std::function<void(milliseconds)> pause;
  std::unique_ptr<pqxx::connection> connection;
  std::unique_ptr<pqxx::quiet_errorhandler> quiet;  // these two are registered with `connection`,
  std::unique_ptr<Receiver> receiver;               // so they go first

  void Drop() {
    receiver.reset();
    quiet.reset();
    connection.reset();
  }

  void Connect() {
    connection = std::make_unique<pqxx::connection>(connection_string);
    quiet = std::make_unique<pqxx::quiet_errorhandler>(*connection);
    receiver = std::make_unique<Receiver>(*connection, channel);
  }

  // What is there, or comes until `deadline`.
  SqlWake Await(Clock::time_point deadline) {
    while (true) {
      // libpqxx would reconnect by itself, and nobody would know that something was missed.
      if (!connection->is_open()) throw pqxx::broken_connection("the connection was closed");
      const auto left =
          std::max(std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()),
                   std::chrono::microseconds(0));
      connection->await_notification(static_cast<long>(left.count() / 1'000'000),
                                     static_cast<long>(left.count() % 1'000'000));
      if (receiver->Take()) return SqlWake::kNotified;
      if (Clock::now() >= deadline) return SqlWake::kTimeout;
    }
  }

  void Pause(milliseconds time) const {
    if (pause) {
      pause(time);
    } else {
      std::this_thread::sleep_for(time);
    }
  }
};

PostgresListener::PostgresListener(const std::string& uri, std::string channel,
                                   PostgresOptions options)
    : state_(std::make_unique<State>()) {
  state_->connection_string = PostgresConnectionString(uri, options);
  state_->description = DescribePostgres(uri);
  state_->channel = std::move(channel);
  state_->pause = std::move(options.pause);
}

PostgresListener::~PostgresListener() { state_->Drop(); }

bool PostgresListener::connected() const { return state_->receiver != nullptr; }

SqlWake PostgresListener::Wait(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  milliseconds pause = kShortestPause;
  while (true) {
    std::string reason;
    try {
      if (state_->connection == nullptr) {
        state_->Connect();
        return SqlWake::kConnected;
      }
      return state_->Await(deadline);
    } catch (const std::exception& error) {
      const std::string_view text = Trim(error.what());
      reason = text.substr(0, text.find('\n'));
    }
    const bool held = connected();
    state_->Drop();
    if (held) continue;  // it broke just now: connect at once, whatever time is left
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      throw Error(ErrorCode::kUnavailable,
                  state_->description + " tells nothing while it is away (" + reason +
                      "): check that PostgreSQL runs; the listener connects again by itself");
    }
    state_->Pause(std::min(pause, left));
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace rebound
