#include "datasource/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

// sqlite3_close_v2 never fails.
struct DatabaseCloser {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};

ErrorCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
      return ErrorCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConflict;
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

const char* RemedyOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return ": check the disk, the rights and who else has it open, then repeat";
    case ErrorCode::kCorrupt:
      return ": restore it, or move it away";
    default:
      return "";
  }
}

// New files are the owner's alone: SQLite gives its -wal and -shm the rights of the database.
void MakeFile(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) return;
    const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    throw Error(code, "cannot make " + path.string() + ": " + std::strerror(errno));
  }
  ::close(fd);
  SyncPath(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

}  // namespace

// --- rows ----------------------------------------------------------------------------------------

struct SqliteRow::State {
  sqlite3_stmt* statement;
};

size_t SqliteRow::columns() const {
  return static_cast<size_t>(sqlite3_column_count(state_->statement));
}

bool SqliteRow::IsNull(size_t column) const {
  return sqlite3_column_type(state_->statement, static_cast<int>(column)) == SQLITE_NULL;
}

int64_t SqliteRow::Int(size_t column) const {
  return sqlite3_column_int64(state_->statement, static_cast<int>(column));
}

double SqliteRow::Real(size_t column) const {
  return sqlite3_column_double(state_->statement, static_cast<int>(column));
}

std::string_view SqliteRow::Text(size_t column) const {
  const int at = static_cast<int>(column);
  // Asked as a blob, a text gives the same bytes; a number must become text first.
  const int type = sqlite3_column_type(state_->statement, at);
  const void* data = type == SQLITE_INTEGER || type == SQLITE_FLOAT
                         ? sqlite3_column_text(state_->statement, at)
                         : sqlite3_column_blob(state_->statement, at);
  const int size = sqlite3_column_bytes(state_->statement, at);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

// --- the database --------------------------------------------------------------------------------

struct SqliteDatabase::State {
  fs::path path;
  std::unique_ptr<sqlite3, DatabaseCloser> database;

  [[noreturn]] void Throw(int result) const {
    const ErrorCode code = CodeOf(result);
    const char* reason =
        database != nullptr ? sqlite3_errmsg(database.get()) : sqlite3_errstr(result);
    throw Error(code, "SQLite " + path.string() + ": " + reason + RemedyOf(code));
  }

  // The first statement of `text`; what is left of it in `rest`. Null for blanks and comments.
  Statement Prepare(std::string_view text, std::string_view* rest) const {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int result = sqlite3_prepare_v2(database.get(), text.data(),
                                          static_cast<int>(text.size()), &statement, &tail);
    if (result != SQLITE_OK) Throw(result);
    *rest = text.substr(static_cast<size_t>(tail - text.data()));
    return Statement(statement);
  }

  void Bind(sqlite3_stmt* statement, int at, const SqliteValue& value) const {
    int result = SQLITE_OK;
    // An empty view may hold a null pointer, which would bind NULL.
    const auto data = [](std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); };
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      result = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      result = sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      result =
          sqlite3_bind_text64(statement, at, data(*text), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<SqliteBlob>(&value)) {
      result =
          sqlite3_bind_blob64(statement, at, data(blob->bytes), blob->bytes.size(), SQLITE_STATIC);
    } else {
      result = sqlite3_bind_null(statement, at);
    }
    if (result != SQLITE_OK) Throw(result);
  }

  void Run(sqlite3_stmt* statement, const Row& row) const {
    const SqliteRow::State current{statement};
    while (true) {
      const int result = sqlite3_step(statement);
      if (result == SQLITE_DONE) return;
      if (result != SQLITE_ROW) Throw(result);
      if (row) row(SqliteRow(&current));
    }
  }
};

SqliteDatabase::SqliteDatabase(const fs::path& path, SqliteOptions options)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  MakeFile(path);
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  state_->database.reset(database);
  if (result != SQLITE_OK) state_->Throw(result);
  sqlite3_busy_timeout(database, static_cast<int>(options.busy_timeout.count()));
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  std::string mode;
  Execute("PRAGMA journal_mode=WAL", {}, [&](const SqliteRow& row) { mode = row.Text(0); });
  if (mode != "wal") {
    throw Error(ErrorCode::kUnavailable, "SQLite " + path.string() +
                                             " cannot keep a write-ahead log (mode '" + mode +
                                             "'): put it on a local file system");
  }
  ExecuteScript("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;");
}

SqliteDatabase::~SqliteDatabase() = default;

int64_t SqliteDatabase::Execute(std::string_view statement,
                                const std::vector<SqliteValue>& parameters, const Row& row) {
  std::string_view rest;
  const Statement prepared = state_->Prepare(statement, &rest);
  if (prepared == nullptr || state_->Prepare(rest, &rest) != nullptr) {
    throw Error(ErrorCode::kInternal, "SQLite: Execute takes one statement");
  }
  const auto wanted = static_cast<size_t>(sqlite3_bind_parameter_count(prepared.get()));
  if (wanted != parameters.size()) {
    throw Error(ErrorCode::kInternal, "SQLite: the statement has " + std::to_string(wanted) +
                                          " parameters and got " +
                                          std::to_string(parameters.size()));
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    state_->Bind(prepared.get(), static_cast<int>(i) + 1, parameters[i]);
  }
  const int64_t before = sqlite3_total_changes64(state_->database.get());
  state_->Run(prepared.get(), row);
  return sqlite3_total_changes64(state_->database.get()) - before;
}

void SqliteDatabase::ExecuteScript(std::string_view script) {
  while (!script.empty()) {
    const Statement statement = state_->Prepare(script, &script);
    if (statement != nullptr) state_->Run(statement.get(), {});
  }
}

void SqliteDatabase::Transact(const std::function<void()>& body) {
  if (sqlite3_get_autocommit(state_->database.get()) == 0) {
    throw Error(ErrorCode::kInternal, "SQLite: a transaction inside a transaction");
  }
  Execute("BEGIN IMMEDIATE");
  try {
    body();
    Execute("COMMIT");
  } catch (...) {
    // A full disk may have rolled it back already. A rollback that fails leaves nothing behind
    // either: the log lacks its commit.
    if (sqlite3_get_autocommit(state_->database.get()) == 0) {
      sqlite3_exec(state_->database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    throw;
  }
}

int64_t SqliteDatabase::last_insert_id() const {
  return sqlite3_last_insert_rowid(state_->database.get());
}

const fs::path& SqliteDatabase::path() const { return state_->path; }

}  // namespace rebound
