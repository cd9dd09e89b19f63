// libpq itself rather than PostgresConnection: that one waits for its server as long as TCP does,
// repeats, and looks into our own schema. Here every wait has a deadline, rows stream, and the
// session is what the user's own would be.
#include <libpq-fe.h>
#include <poll.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "datasource/postgres.h"
#include "datasource/read_guard.h"
#include "datasource/sources.h"

namespace rebound {
namespace {

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultCloser>;

// A message of libpq: its first line, without the SQLSTATE that verbose messages hold.
struct Reason {
  std::string state;
  std::string text;
};

bool IsState(std::string_view text) {
  for (const char c : text) {
    if ((c < '0' || c > '9') && (c < 'A' || c > 'Z')) return false;
  }
  return text.size() == 5;
}

// "...: FATAL:  28P01: password authentication failed": libpq has no other way to the state of a
// refused connection.
Reason ReadReason(const char* message) {
  const std::string_view text = Trim(message);
  Reason reason;
  reason.text = text.substr(0, text.find('\n'));
  const size_t at = reason.text.find(":  ");
  if (at == std::string::npos || !IsState(std::string_view(reason.text).substr(at + 3, 5))) {
    return reason;
  }
  reason.state = reason.text.substr(at + 3, 5);
  reason.text.erase(at + 2, 8);
  return reason;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
ErrorCode CodeOf(const std::string& state) {
  if (state == "42P01" || state == "3F000" || state == "3D000") return ErrorCode::kNotFound;
  for (const char* refused : {"0A", "21", "22", "25", "26", "28", "34", "42", "44"}) {
    if (StartsWith(state, refused)) return ErrorCode::kInvalidArgument;
  }
  if (StartsWith(state, "54")) return ErrorCode::kTooLarge;
  return ErrorCode::kUnavailable;
}

const char* RemedyOf(const std::string& state) {
  if (StartsWith(state, "28")) return ": check the user and the password";
  if (state == "25006") return ": the query may only read";
  if (state == "42501") return ": grant this user the right to read";
  return CodeOf(state) == ErrorCode::kUnavailable ? ": check that PostgreSQL runs there" : "";
}

class PostgresDatasource final : public Datasource {
 public:
  PostgresDatasource(std::string connection, DatasourceLimits limits)
      : address_(std::move(connection)),
        description_("PostgreSQL " + DescribePostgres(address_)),
        limits_(limits) {}

  void Read(std::string_view query, size_t columns, const Row& row) override {
    if (query.find('\0') != query.npos) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the query to " + description_ + " holds a NUL byte");
    }
    ReadGuard guard(limits_, description_);
    const Connection connection = Connect(guard);
    // Not as options of the connection, which poolers refuse.
    Send(PQsendQuery(connection.get(),
                     ("BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = " +
                      std::to_string(guard.left().count() + 1))
                         .c_str()),
         connection.get());
    while (const Result result = Next(connection.get(), guard)) Check(result.get(), guard);
    // The extended protocol takes one statement alone, so that none can end the transaction.
    Send(PQsendQueryParams(connection.get(), std::string(query).c_str(), 0, nullptr, nullptr,
                           nullptr, nullptr, 0),
         connection.get());
    PQsetSingleRowMode(connection.get());
    while (const Result result = Next(connection.get(), guard)) {
      Check(result.get(), guard);
      TellRows(result.get(), columns, &guard, row);
    }
  }

  std::string description() const override { return description_; }

 private:
  Connection Connect(const ReadGuard& guard) const {
    // The last word counts: the address may say otherwise.
    const char* names[] = {"client_encoding", "fallback_application_name", "dbname", nullptr};
    const char* values[] = {"UTF8", "rebound", address_.c_str(), nullptr};
    Connection connection(PQconnectStartParams(names, values, 1));
    if (connection == nullptr) throw Error(ErrorCode::kUnavailable, "libpq: out of memory");
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(connection.get()) == CONNECTION_BAD) Throw(PQerrorMessage(connection.get()));
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
      if (state == PGRES_POLLING_FAILED) Throw(PQerrorMessage(connection.get()));
      Wait(connection.get(), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, guard);
      state = PQconnectPoll(connection.get());
    }
    PQsetnonblocking(connection.get(), 1);
    return connection;
  }

  static void Wait(PGconn* connection, short events, const ReadGuard& guard) {
    pollfd door{PQsocket(connection), events, 0};
    if (::poll(&door, 1, static_cast<int>(guard.left().count())) <= 0) guard.CheckTime();
  }

  void Send(int sent, PGconn* connection) const {
    if (sent == 0) Throw(PQerrorMessage(connection));
  }

  // The next result of what was sent; null behind the last.
  Result Next(PGconn* connection, const ReadGuard& guard) const {
    while (true) {
      guard.CheckTime();
      const int unsent = PQflush(connection);
      if (unsent < 0) Throw(PQerrorMessage(connection));
      if (unsent == 0 && PQisBusy(connection) == 0) return Result(PQgetResult(connection));
      Wait(connection, static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), guard);
      if (PQconsumeInput(connection) == 0) Throw(PQerrorMessage(connection));
    }
  }

  void Check(const PGresult* result, const ReadGuard& guard) const {
    switch (PQresultStatus(result)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_SINGLE_TUPLE:
        return;
      case PGRES_EMPTY_QUERY:
        throw Error(ErrorCode::kInvalidArgument, "the query to " + description_ + " is empty");
      case PGRES_FATAL_ERROR:
      case PGRES_BAD_RESPONSE:
      case PGRES_NONFATAL_ERROR: {
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (state != nullptr && std::string_view(state) == "57014") guard.ThrowTimeout();
        Throw(PQresultErrorMessage(result));
      }
      default:  // COPY
        throw Error(ErrorCode::kInvalidArgument,
                    "the query to " + description_ + " gives no rows: write one SELECT");
    }
  }

  void TellRows(const PGresult* result, size_t columns, ReadGuard* guard, const Row& row) const {
    const auto given = static_cast<size_t>(PQnfields(result));
    guard->CheckColumns(given, columns);
    std::vector<std::string_view> fields(columns);
    for (int r = 0; r < PQntuples(result); ++r) {
      for (size_t c = 0; c < columns; ++c) {
        const int at = static_cast<int>(c);
        fields[c] = {PQgetvalue(result, r, at), static_cast<size_t>(PQgetlength(result, r, at))};
      }
      guard->Tell(fields, row);
    }
  }

  [[noreturn]] void Throw(const char* message) const {
    const Reason reason = ReadReason(message);
    throw Error(CodeOf(reason.state), description_ + ": " + reason.text + RemedyOf(reason.state));
  }

  const std::string address_;
  const std::string description_;
  const DatasourceLimits limits_;
};

}  // namespace

std::unique_ptr<Datasource> MakePostgresDatasource(const std::string& connection,
                                                   DatasourceLimits limits) {
  return std::make_unique<PostgresDatasource>(connection, limits);
}

}  // namespace rebound
