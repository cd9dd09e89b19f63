// PostgreSQL behind one small door: transactions with a written retry policy, statements with
// parameters, rows out. No type of libpqxx leaves this folder, and no foreign exception either.
//
// A connection is opened on first use and dropped when it breaks; its time limits stand in the
// connection string, so that they hold for every session. Thread-compatible: one connection a
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// A parameter in PostgreSQL's text form; nullopt is NULL. Statements name its type: $1::bigint.
using SqlValue = std::optional<std::string>;
inline SqlValue SqlInt(int64_t value) { return std::to_string(value); }

// A one-dimensional array as one parameter: $1::text[], $2::bigint[], $3::bytea[].
// Many rows travel in one statement: INSERT ... SELECT ... FROM unnest($1::text[], $2::int[]).
class SqlArray {
 public:
  void Add(std::string_view value);
  void AddInt(int64_t value);
  void AddBool(bool value);
  void AddHex(std::string_view hex);  // a bytea from hexadecimal digits
  void AddNull();
  SqlValue Take();  // the array; the object starts anew

 private:
  void Next();
  std::string text_ = "{";
};

// What a statement gave. Immutable. REQUIRES: row < size(), column < the statement's columns.
class SqlRows {
 public:
  struct State;
  explicit SqlRows(std::shared_ptr<const State> state);

  size_t size() const;
  int64_t affected() const;
  bool IsNull(size_t row, size_t column) const;
  std::string_view Text(size_t row, size_t column) const;  // "" for NULL; lives as long as the rows
  int64_t Int(size_t row, size_t column) const;            // throws kInternal for no integer
  bool Bool(size_t row, size_t column) const;

 private:
  std::shared_ptr<const State> state_;
};

class SqlTransaction {
 public:
  struct State;
  explicit SqlTransaction(State* state) : state_(state) {}

  // One statement. Throws kInvalidArgument where a parameter holds a NUL byte.
  SqlRows Execute(std::string_view statement, const std::vector<SqlValue>& parameters = {});
  // Several statements without parameters: migrations, text of our own alone.
  void ExecuteScript(std::string_view script);
  // The rows of a query in blocks of at most `block`, so that a large one needs little memory.
  void Stream(std::string_view query, const std::vector<SqlValue>& parameters, size_t block,
              const std::function<void(const SqlRows&)>& rows);

 private:
  State* state_;
};

enum class SqlIsolation { kReadCommitted, kRepeatableRead };

// What went wrong, as far as repeating is concerned.
enum class SqlFault : uint8_t {
  kConflict,    // serialization failure or deadlock: nothing was done, another transaction won
  kDisconnect,  // the connection broke before the commit: nothing was done
  kInDoubt,     // it broke during the commit: done or not done
  kOther,       // repeating gives the same again
};

// How long to wait before attempt `attempt` + 1 (the first is 1), or nullopt to give up. Conflicts
// get five attempts, broken and doubtful commits three; kInDoubt is repeated only where the
// transaction is idempotent. Pure.
std::optional<std::chrono::milliseconds> NextAttempt(SqlFault fault, int attempt, bool idempotent);

struct PostgresOptions {
  std::chrono::seconds connect_timeout{10};
  std::chrono::milliseconds statement_timeout{300'000};
  // Of which at most this is spent on waiting for one lock.
  std::chrono::milliseconds lock_timeout{60'000};
  // The server ends a session that says nothing within a transaction: a client that hangs would
  // hold what others wait for.
  std::chrono::milliseconds idle_in_transaction_timeout{300'000};
  // Of one attempt at a transaction, kept by this side: a server that went silent is hung up on,
  // and the attempt ends as any broken connection does. 0: none.
  std::chrono::milliseconds transaction_limit{0};
  std::string application_name = "rebound";
  // How the time between two attempts passes; empty: it is slept.
  std::function<void(std::chrono::milliseconds)> pause;
};

// `uri` (a URI or key=value form of libpq) with our limits where it sets none itself.
// Throws kInvalidArgument where libpq cannot read it.
std::string PostgresConnectionString(const std::string& uri, const PostgresOptions& options);
// "database rebound on /tmp/x": for messages; never a password.
std::string DescribePostgres(const std::string& uri);

class PostgresConnection {
 public:
  explicit PostgresConnection(const std::string& uri, PostgresOptions options = {});
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  using Body = std::function<void(SqlTransaction&)>;

  // Runs `body` in a transaction and commits; an exception rolls back. Repeats the whole of it by
  // NextAttempt, so `body` sets what it returns rather than adding to it. Throws kUnavailable
  // (cannot connect, connection lost, disk full, timeout, a right that this user lacks), kNotFound
  // (no such table: migrate),
  // kConflict (a unique or foreign key), kInvalidArgument (a value the type cannot hold),
  // kInternal.
  void Transact(SqlIsolation isolation, const Body& body);
  // The same for a body that must not run twice after a commit in doubt: kUnavailable then.
  void TransactOnce(SqlIsolation isolation, const Body& body);

  // One statement outside a transaction, for those that PostgreSQL refuses inside one (CREATE
  // DATABASE, VACUUM). Tried once. Throws as Transact does.
  void ExecuteAlone(std::string_view statement);

  const std::string& description() const;

 private:
  struct State;
  void Run(SqlIsolation isolation, bool idempotent, const Body& body);
  std::unique_ptr<State> state_;
};

}  // namespace rebound
