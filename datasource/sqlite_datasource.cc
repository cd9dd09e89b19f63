#include <sqlite3.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"
#include "datasource/read_guard.h"
#include "datasource/sources.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;
struct DatabaseCloser {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

// Reading alone: no ATTACH of other files, no PRAGMA, no transaction that would stay open. Notes
// what it denies: SQLite has several codes for that.
int AllowReading(void* is_denied, int action, const char*, const char* second, const char*,
                 const char*) {
  const bool is_read = action == SQLITE_SELECT || action == SQLITE_READ ||
                       action == SQLITE_RECURSIVE ||
                       (action == SQLITE_FUNCTION &&
                        (second == nullptr || std::string_view(second) != "load_extension"));
  if (is_read) return SQLITE_OK;
  *static_cast<bool*>(is_denied) = true;
  return SQLITE_DENY;
}

int StopPastDeadline(void* guard) { return static_cast<const ReadGuard*>(guard)->is_over(); }

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

class SqliteDatasource final : public Datasource {
 public:
  SqliteDatasource(std::string path, DatasourceLimits limits)
      : path_(std::move(path)), limits_(limits) {}

  void Read(std::string_view query, size_t columns, const Row& row) override {
    ReadGuard guard(limits_, description());
    const Database database = Open();
    sqlite3_busy_timeout(database.get(), static_cast<int>(guard.left().count()));
    sqlite3_progress_handler(database.get(), 1000, StopPastDeadline, &guard);
    bool is_denied = false;
    sqlite3_set_authorizer(database.get(), AllowReading, &is_denied);
    std::string_view rest;
    const Statement statement = Prepare(database.get(), query, guard, is_denied, &rest);
    if (statement == nullptr || Prepare(database.get(), rest, guard, is_denied, &rest) != nullptr) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the query to " + description() + " must be one statement");
    }
    guard.CheckColumns(static_cast<size_t>(sqlite3_column_count(statement.get())), columns);
    std::vector<std::string_view> fields(columns);
    while (true) {
      const int result = sqlite3_step(statement.get());
      if (result == SQLITE_DONE) return;
      if (result != SQLITE_ROW) Throw(database.get(), result, guard);
      for (size_t i = 0; i < columns; ++i) {
        const int at = static_cast<int>(i);
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), at));
        const int size = sqlite3_column_bytes(statement.get(), at);
        fields[i] = text == nullptr ? "" : std::string_view(text, static_cast<size_t>(size));
      }
      guard.Tell(fields, row);
    }
  }

  std::string description() const override { return "SQLite " + path_.string(); }

 private:
  // Opened at every Read: the file may have been replaced since.
  Database Open() const {
    std::error_code error;
    if (!fs::exists(path_, error)) {
      throw Error(ErrorCode::kNotFound,
                  description() + " is not there: check the path and the rights of its folder");
    }
    sqlite3* opened = nullptr;
    const int result = sqlite3_open_v2(path_.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    Database database(opened);
    if (result != SQLITE_OK) {
      throw Error(ErrorCode::kUnavailable, description() + " cannot be opened (" +
                                               sqlite3_errstr(result) +
                                               "): check that this user may read it");
    }
    return database;
  }

  Statement Prepare(sqlite3* database, std::string_view text, const ReadGuard& guard,
                    const bool& is_denied, std::string_view* rest) const {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int result =
        sqlite3_prepare_v2(database, text.data(), static_cast<int>(text.size()), &statement, &tail);
    if (result != SQLITE_OK && is_denied) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the query to " + description() + " may only read, by one SELECT");
    }
    if (result != SQLITE_OK) Throw(database, result, guard);
    *rest = text.substr(static_cast<size_t>(tail - text.data()));
    return Statement(statement);
  }

  [[noreturn]] void Throw(sqlite3* database, int result, const ReadGuard& guard) const {
    const std::string reason = sqlite3_errmsg(database);
    const std::string told = description() + ": " + reason;
    switch (result & 0xff) {
      case SQLITE_INTERRUPT:
        guard.ThrowTimeout();
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        throw Error(ErrorCode::kCorrupt, told + ": restore it");
      case SQLITE_AUTH:
      case SQLITE_READONLY:
        throw Error(ErrorCode::kInvalidArgument, told + ": the query may only read, by one SELECT");
      case SQLITE_TOOBIG:
        throw Error(ErrorCode::kTooLarge, told);
      case SQLITE_ERROR:
        // SQLite has no code for it.
        if (StartsWith(reason, "no such table")) throw Error(ErrorCode::kNotFound, told);
        throw Error(ErrorCode::kInvalidArgument, told);
      default:
        throw Error(ErrorCode::kUnavailable,
                    told + ": check the disk and who else has it open; it is tried again");
    }
  }

  const fs::path path_;
  const DatasourceLimits limits_;
};

}  // namespace

std::unique_ptr<Datasource> MakeSqliteDatasource(const std::string& path, DatasourceLimits limits) {
  return std::make_unique<SqliteDatasource>(path, limits);
}

}  // namespace rebound
