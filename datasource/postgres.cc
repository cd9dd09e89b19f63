#include "datasource/postgres.h"

#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <pqxx/pqxx>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "datasource/watchdog.h"

namespace rebound {

// --- rows and statements -------------------------------------------------------------------------

struct SqlRows::State {
  pqxx::result result;
};

SqlRows::SqlRows(std::shared_ptr<const State> state) : state_(std::move(state)) {}

size_t SqlRows::size() const { return static_cast<size_t>(state_->result.size()); }
int64_t SqlRows::affected() const { return static_cast<int64_t>(state_->result.affected_rows()); }

namespace {
pqxx::field FieldAt(const pqxx::result& result, size_t row, size_t column) {
  return result[static_cast<pqxx::result_size_type>(row)][static_cast<pqxx::row_size_type>(column)];
}
}  // namespace

bool SqlRows::IsNull(size_t row, size_t column) const {
  return FieldAt(state_->result, row, column).is_null();
}

std::string_view SqlRows::Text(size_t row, size_t column) const {
  const pqxx::field field = FieldAt(state_->result, row, column);
  return {field.c_str(), field.size()};
}

int64_t SqlRows::Int(size_t row, size_t column) const {
  const std::string_view text = Text(row, column);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kInternal,
                "the database gave '" + std::string(text) + "' where an integer was expected");
  }
  return value;
}

bool SqlRows::Bool(size_t row, size_t column) const { return Text(row, column) == "t"; }

void SqlArray::Next() {
  if (text_.size() > 1) text_ += ',';
}

void SqlArray::Add(std::string_view value) {
  Next();
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void SqlArray::AddInt(int64_t value) {
  Next();
  text_ += std::to_string(value);
}

void SqlArray::AddBool(bool value) {
  Next();
  text_ += value ? 't' : 'f';
}

void SqlArray::AddHex(std::string_view hex) {
  Next();
  text_ += "\"\\\\x";
  text_ += hex;
  text_ += '"';
}

void SqlArray::AddNull() {
  Next();
  text_ += "NULL";
}

SqlValue SqlArray::Take() {
  text_ += '}';
  return std::exchange(text_, "{");
}

struct SqlTransaction::State {
  pqxx::transaction_base* transaction;
};

SqlRows SqlTransaction::Execute(std::string_view statement,
                                const std::vector<SqlValue>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const SqlValue& parameter : parameters) {
    if (parameter && parameter->find('\0') != std::string::npos) {
      throw Error(ErrorCode::kInvalidArgument,
                  "a text with a NUL byte cannot be stored: replace the byte first");
    }
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  auto rows = std::make_shared<SqlRows::State>();
  rows->result = state_->transaction->exec_params(std::string(statement),
                                                  pqxx::prepare::make_dynamic_params(values));
  return SqlRows(std::move(rows));
}

void SqlTransaction::ExecuteScript(std::string_view script) {
  state_->transaction->exec(std::string(script));
}

void SqlTransaction::Stream(std::string_view query, const std::vector<SqlValue>& parameters,
                            size_t block, const std::function<void(const SqlRows&)>& rows) {
  Execute("DECLARE rebound_stream NO SCROLL CURSOR FOR " + std::string(query), parameters);
  const std::string fetch = "FETCH FORWARD " + std::to_string(block) + " FROM rebound_stream";
  while (true) {
    const SqlRows next = Execute(fetch);
    if (next.size() > 0) rows(next);
    if (next.size() < block) break;
  }
  Execute("CLOSE rebound_stream");
}

// --- connection strings --------------------------------------------------------------------------

namespace {

using ConnectionSettings = std::vector<std::pair<std::string, std::string>>;

ConnectionSettings ParseSettings(const std::string& uri) {
  char* reason = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(uri.c_str(), &reason);
  if (parsed == nullptr) {
    // libpq's reason may quote the string, which may hold a password: it is not repeated.
    if (reason != nullptr) PQfreemem(reason);
    throw Error(ErrorCode::kInvalidArgument,
                "the address of the database is no PostgreSQL URI: write it like "
                "postgresql://user@host:5432/rebound or postgresql:///rebound?host=/folder");
  }
  ConnectionSettings settings;
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val != nullptr && *option->val != '\0') {
      settings.emplace_back(option->keyword, option->val);
    }
  }
  PQconninfoFree(parsed);
  return settings;
}

const std::string* FindSetting(const ConnectionSettings& settings, std::string_view name) {
  for (const auto& [keyword, value] : settings) {
    if (keyword == name) return &value;
  }
  return nullptr;
}

std::string QuoteSetting(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::string PostgresConnectionString(const std::string& uri, const PostgresOptions& options) {
  ConnectionSettings settings = ParseSettings(uri);
  const auto set_default = [&](const char* name, const std::string& value) {
    if (FindSetting(settings, name) == nullptr) settings.emplace_back(name, value);
  };
  set_default("connect_timeout", std::to_string(options.connect_timeout.count()));
  set_default("application_name", options.application_name);
  set_default("client_encoding", "UTF8");
  set_default("keepalives_idle", "30");
  // The user's own settings come after ours: the last one counts.
  std::string session =
      "-c statement_timeout=" + std::to_string(options.statement_timeout.count()) +
      " -c lock_timeout=" + std::to_string(options.lock_timeout.count()) +
      " -c idle_in_transaction_session_timeout=" +
      std::to_string(options.idle_in_transaction_timeout.count()) +
      " -c search_path=rebound,pg_temp -c timezone=UTC" + " -c client_min_messages=warning";
  std::string line;
  for (const auto& [keyword, value] : settings) {
    if (keyword == "options") {
      session += " " + value;
      continue;
    }
    line += keyword + "=" + QuoteSetting(value) + " ";
  }
  return line + "options=" + QuoteSetting(session);
}

std::string DescribePostgres(const std::string& uri) {
  const ConnectionSettings settings = ParseSettings(uri);
  const auto get = [&](std::string_view name) {
    const std::string* value = FindSetting(settings, name);
    return value == nullptr ? std::string() : *value;
  };
  std::string text = "database " + (get("dbname").empty() ? get("user") : get("dbname")) + " on ";
  text += get("host").empty() ? (get("hostaddr").empty() ? "this machine" : get("hostaddr"))
                              : get("host");
  if (!get("port").empty()) text += ":" + get("port");
  return text;
}

// --- retry ---------------------------------------------------------------------------------------

std::optional<std::chrono::milliseconds> NextAttempt(SqlFault fault, int attempt, bool idempotent) {
  using std::chrono::milliseconds;
  switch (fault) {
    case SqlFault::kConflict:
      if (attempt >= 5) return std::nullopt;
      return milliseconds(10 << attempt);
    case SqlFault::kInDoubt:
      if (!idempotent) return std::nullopt;
      [[fallthrough]];
    case SqlFault::kDisconnect:
      if (attempt >= 3) return std::nullopt;
      return milliseconds(attempt == 1 ? 0 : 500);
    case SqlFault::kOther:
      return std::nullopt;
  }
  return std::nullopt;
}

namespace {

// A foreign exception, told in our words.
struct Failure {
  SqlFault fault;
  ErrorCode code;
  std::string message;
};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// One line, without the server's continuation lines.
std::string FirstLine(const char* what) {
  const std::string_view text = Trim(what);
  return std::string(text.substr(0, text.find('\n')));
}

Failure Unavailable(SqlFault fault, const std::string& database, const std::string& reason) {
  return {fault, ErrorCode::kUnavailable,
          database + " is not available (" + reason +
              "): check that PostgreSQL runs and that --store is right, then repeat the command"};
}

// Classes of https://www.postgresql.org/docs/15/errcodes-appendix.html
Failure TellSqlState(const std::string& state, const std::string& database,
                     const std::string& reason) {
  if (state == "40001" || state == "40P01") {
    return {SqlFault::kConflict, ErrorCode::kUnavailable,
            "other transactions kept winning (" + reason + "): repeat the command"};
  }
  if (StartsWith(state, "57P")) return Unavailable(SqlFault::kDisconnect, database, reason);
  if (StartsWith(state, "08")) return Unavailable(SqlFault::kDisconnect, database, reason);
  // A standby, or a primary that became one: whoever connects anew may find the right one.
  if (state == "25006") return Unavailable(SqlFault::kDisconnect, database, reason);
  if (state == "57014") {
    return {SqlFault::kOther, ErrorCode::kUnavailable,
            database + " took too long (" + reason +
                "): repeat the command, or set a longer limit in the URI: "
                "...?options=-cstatement_timeout%3D15min"};
  }
  if (state == "55P03") {
    return {SqlFault::kOther, ErrorCode::kUnavailable,
            "another session of " + database + " holds what this needs (" + reason +
                "): pg_stat_activity and pg_blocking_pids tell which; let it end, then repeat the "
                "command"};
  }
  if (StartsWith(state, "53")) {
    return {SqlFault::kOther, ErrorCode::kUnavailable,
            database + " is out of resources (" + reason + "): free them, then repeat the command"};
  }
  if (state == "42P01" || state == "3F000" || state == "42703" || state == "42883") {
    return {SqlFault::kOther, ErrorCode::kNotFound,
            database + " lacks a part of the schema (" + reason + "): run rebound-labels migrate"};
  }
  if (state == "42501") {
    // The operator's matter: what was asked for is well, and works once the right is there.
    return {SqlFault::kOther, ErrorCode::kUnavailable,
            database + " refuses this user (" + reason +
                "): grant the right (rebound-labels roles), or use another --store"};
  }
  if (StartsWith(state, "23")) return {SqlFault::kOther, ErrorCode::kConflict, reason};
  if (StartsWith(state, "22")) return {SqlFault::kOther, ErrorCode::kInvalidArgument, reason};
  return {SqlFault::kOther, ErrorCode::kInternal, "SQL " + state + ": " + reason};
}

// libpqxx knows some states by type alone.
std::string StateOf(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return error.sqlstate();
  const auto is = [&](auto type) {
    return dynamic_cast<typename decltype(type)::type*>(&error) != nullptr;
  };
  if (is(std::type_identity<const pqxx::insufficient_privilege>())) return "42501";
  if (is(std::type_identity<const pqxx::undefined_table>())) return "42P01";
  if (is(std::type_identity<const pqxx::undefined_column>())) return "42703";
  if (is(std::type_identity<const pqxx::undefined_function>())) return "42883";
  if (is(std::type_identity<const pqxx::integrity_constraint_violation>())) return "23000";
  if (is(std::type_identity<const pqxx::data_exception>())) return "22000";
  if (is(std::type_identity<const pqxx::insufficient_resources>())) return "53000";
  return "";
}

// REQUIRES: called in a catch block. Errors of our own pass as they are.
Failure TellCurrentException(const std::string& database) {
  try {
    throw;
  } catch (const pqxx::in_doubt_error& e) {
    return {
        SqlFault::kInDoubt, ErrorCode::kUnavailable,
        "the connection to " + database +
            " broke during the commit, so the change may or may not be there: look, then repeat "
            "the command where it is not"};
  } catch (const pqxx::broken_connection& e) {
    // A server that answers ERROR is there: libpqxx counts all of class 08 as broken.
    if (StartsWith(e.what(), "ERROR:")) {
      return {SqlFault::kOther, ErrorCode::kInternal, FirstLine(e.what())};
    }
    return Unavailable(SqlFault::kDisconnect, database, FirstLine(e.what()));
  } catch (const pqxx::serialization_failure& e) {
    return TellSqlState("40001", database, FirstLine(e.what()));
  } catch (const pqxx::deadlock_detected& e) {
    return TellSqlState("40P01", database, FirstLine(e.what()));
  } catch (const pqxx::transaction_rollback& e) {
    return {SqlFault::kInDoubt, ErrorCode::kUnavailable, FirstLine(e.what())};
  } catch (const pqxx::insufficient_privilege& e) {  // which libpqxx 6.4 tells without its state
    return TellSqlState("42501", database, FirstLine(e.what()));
  } catch (const pqxx::sql_error& e) {
    return TellSqlState(StateOf(e), database, FirstLine(e.what()));
  } catch (const pqxx::failure& e) {
    return {SqlFault::kOther, ErrorCode::kInternal, std::string("libpqxx: ") + e.what()};
  } catch (const pqxx::pqxx_exception& e) {
    return {SqlFault::kOther, ErrorCode::kInternal, std::string("libpqxx: ") + e.base().what()};
  }
}

}  // namespace

// --- the connection ------------------------------------------------------------------------------

namespace {

// Hangs up on a server that is silent for too long. Holds a descriptor of its own for the socket,
// so that none that was closed and given to somebody else meanwhile is meant.
class HangUp {
 public:
  HangUp(int socket, std::chrono::milliseconds limit)
      : socket_(socket < 0 || limit.count() <= 0 ? -1 : ::dup(socket)) {
    if (socket_ >= 0) watchdog_.emplace(limit, [this] { ::shutdown(socket_, SHUT_RDWR); });
  }
  ~HangUp() {
    watchdog_.reset();
    if (socket_ >= 0) ::close(socket_);
  }
  HangUp(const HangUp&) = delete;
  HangUp& operator=(const HangUp&) = delete;

 private:
  const int socket_;
  std::optional<Watchdog> watchdog_;
};

}  // namespace

struct PostgresConnection::State {
  std::string connection_string;
  std::string description;
  PostgresOptions options;
  std::unique_ptr<pqxx::connection> connection;

  pqxx::connection& Connected() {
    if (connection == nullptr) connection = std::make_unique<pqxx::connection>(connection_string);
    return *connection;
  }

  template <pqxx::isolation_level isolation>
  void RunBody(const Body& body) {
    const HangUp hang_up(Connected().sock(), options.transaction_limit);
    pqxx::transaction<isolation> transaction(*connection);
    SqlTransaction::State state{&transaction};
    SqlTransaction wrapped(&state);
    body(wrapped);
    transaction.commit();
  }
};

PostgresConnection::PostgresConnection(const std::string& uri, PostgresOptions options)
    : state_(std::make_unique<State>()) {
  state_->connection_string = PostgresConnectionString(uri, options);
  state_->description = DescribePostgres(uri);
  state_->options = std::move(options);
}

PostgresConnection::~PostgresConnection() = default;

const std::string& PostgresConnection::description() const { return state_->description; }

void PostgresConnection::Transact(SqlIsolation isolation, const Body& body) {
  Run(isolation, true, body);
}

void PostgresConnection::TransactOnce(SqlIsolation isolation, const Body& body) {
  Run(isolation, false, body);
}

void PostgresConnection::ExecuteAlone(std::string_view statement) {
  try {
    pqxx::nontransaction alone(state_->Connected());
    alone.exec(std::string(statement));
  } catch (...) {
    const Failure failure = TellCurrentException(state_->description);
    if (failure.fault == SqlFault::kDisconnect) state_->connection.reset();
    throw Error(failure.code, failure.message);
  }
}

void PostgresConnection::Run(SqlIsolation isolation, bool idempotent, const Body& body) {
  for (int attempt = 1;; ++attempt) {
    Failure failure;
    try {
      if (isolation == SqlIsolation::kRepeatableRead) {
        state_->RunBody<pqxx::repeatable_read>(body);
      } else {
        state_->RunBody<pqxx::read_committed>(body);
      }
      return;
    } catch (const Error&) {
      throw;
    } catch (...) {
      failure = TellCurrentException(state_->description);
    }
    // libpqxx would reconnect by itself and lose what the session held: a broken one is dropped.
    if (failure.fault == SqlFault::kDisconnect || failure.fault == SqlFault::kInDoubt) {
      state_->connection.reset();
    }
    const auto wait = NextAttempt(failure.fault, attempt, idempotent);
    if (!wait) throw Error(failure.code, failure.message);
    if (state_->options.pause) {
      state_->options.pause(*wait);
    } else if (wait->count() > 0) {
      std::this_thread::sleep_for(*wait);
    }
  }
}

}  // namespace rebound
