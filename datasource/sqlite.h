// An SQLite database of our own: what a transaction that returned has written is on disk (WAL,
// synchronous=FULL) and survives a kill and a power cut. No type of SQLite leaves this folder, and
// no foreign error either.
//
// One object is one connection; several of one file, in this process or others, are safe, and a
// writer waits for the other up to the busy timeout. Thread-compatible: one object a thread. Not
// for network file systems.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace rebound {

// A parameter: NULL, integer, real, text, or bytes. Views are copied while Execute runs.
struct SqliteBlob {
  std::string_view bytes;
};
using SqliteValue = std::variant<std::monostate, int64_t, double, std::string_view, SqliteBlob>;

// One row of a result, while its callback runs. REQUIRES: column < columns().
class SqliteRow {
 public:
  struct State;
  explicit SqliteRow(const State* state) : state_(state) {}

  size_t columns() const;
  bool IsNull(size_t column) const;
  int64_t Int(size_t column) const;  // by SQLite's conversion; 0 for NULL and for no number
  double Real(size_t column) const;
  // The bytes of a text or blob, a number in decimal, "" for NULL; lives as long as the callback.
  std::string_view Text(size_t column) const;

 private:
  const State* state_;
};

struct SqliteOptions {
  std::chrono::milliseconds busy_timeout{10'000};
};

class SqliteDatabase {
 public:
  // Opens `path`; makes it, readable by its owner alone, where it is not there. Throws kNotFound
  // where the folder is missing, else as Execute does.
  explicit SqliteDatabase(const std::filesystem::path& path, SqliteOptions options = {});
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  using Row = std::function<void(const SqliteRow&)>;

  // One statement with its ?1, ?2, ... bound; rows are told one by one. Returns how many rows the
  // statement changed. What `row` throws ends the statement. REQUIRES: as many parameters as the
  // statement has. Throws
  //   kUnavailable  disk full, locked longer than the busy timeout, input/output error, read-only
  //   kCorrupt      the file is damaged or no SQLite database
  //   kConflict     a constraint forbids it
  //   kTooLarge     a value of 1 GB or more
  //   kInternal     the statement is wrong
  int64_t Execute(std::string_view statement, const std::vector<SqliteValue>& parameters = {},
                  const Row& row = {});

  // Several statements without parameters: schemas, text of our own alone.
  void ExecuteScript(std::string_view script);

  // Runs `body` in a transaction that holds the write lock from its start, and commits; an
  // exception rolls back and passes through. On return it is on disk; after an Error nothing of it
  // is. Throws kInternal where called inside another.
  void Transact(const std::function<void()>& body);

  int64_t last_insert_id() const;
  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rebound
