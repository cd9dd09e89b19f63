// The schema of the label store: migrations/*.sql, built into the library. Forward only: a file
// that landed is never edited, and the database remembers the sha256 of each to notice.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"

namespace rebound {

struct Migration {
  int version;            // the number its file name starts with
  std::string_view name;  // "0001_label_store"
  std::string_view sql;
};

// Ascending, without gaps.
std::span<const Migration> Migrations();

// Applies what is missing, each in a transaction of its own, under a lock: any number of processes
// may call this at once. Returns the versions that this call applied. One that fails leaves the
// version before it whole. Throws kCorrupt where an applied file was edited, kUnavailable where the
// schema is newer than `migrations` or a session holds a table for ten seconds, kInvalidArgument
// where `migrations` has gaps.
std::vector<int> MigrateSchema(PostgresConnection* connection,
                               std::span<const Migration> migrations = Migrations());

// Throws, with the remedy, kNotFound where the schema is missing or older than this code and
// kUnavailable where it is newer.
void RequireSchema(PostgresConnection* connection);

}  // namespace rebound
