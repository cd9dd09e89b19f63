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
// may call this at once. Returns the versions that this call applied. A newer schema is left as it
// is. Throws kCorrupt where an applied file was edited, kInvalidArgument where `migrations` has
// gaps.
std::vector<int> MigrateSchema(PostgresConnection* connection,
                               std::span<const Migration> migrations = Migrations());

// Throws kNotFound, with the remedy, where the schema is missing or older than this code.
void RequireSchema(PostgresConnection* connection);

}  // namespace rebound
