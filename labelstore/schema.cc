#include "labelstore/schema.h"

#include <string>

#include "base/digest.h"
#include "base/error.h"

namespace rebound {
namespace {

// One lock a database orders all migrations; the number is "rebound" in ASCII.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(32199655764225636)";

constexpr const char* kBookkeeping = R"sql(
CREATE SCHEMA IF NOT EXISTS rebound;
CREATE TABLE IF NOT EXISTS rebound.schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  sha256     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
)sql";

void CheckOrder(std::span<const Migration> migrations) {
  for (size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].version != static_cast<int>(i) + 1) {
      throw Error(ErrorCode::kInvalidArgument, "migration " + std::string(migrations[i].name) +
                                                   " stands at place " + std::to_string(i + 1) +
                                                   ": number the files without gaps");
    }
  }
}

// A newer schema may mean something else by the same names, so nothing is done to it.
[[noreturn]] void RefuseNewer(const PostgresConnection& connection, int64_t found, size_t known) {
  throw Error(ErrorCode::kUnavailable,
              connection.description() + " has version " + std::to_string(found) +
                  " of the label store and this program knows only " + std::to_string(known) +
                  ": use the release that migrated it, or a newer one");
}

// The versions that are applied, after a check that each is still what its file says.
size_t CountApplied(SqlTransaction& sql, std::span<const Migration> migrations) {
  const SqlRows rows =
      sql.Execute("SELECT version, sha256 FROM rebound.schema_migrations ORDER BY version");
  for (size_t i = 0; i < rows.size() && i < migrations.size(); ++i) {
    const std::string name(migrations[i].name);
    if (rows.Int(i, 0) != migrations[i].version) {
      throw Error(ErrorCode::kCorrupt, "the database lacks migration " + name +
                                           " but has later ones: restore it from a backup");
    }
    if (rows.Text(i, 1) != Sha256Hex(migrations[i].sql)) {
      throw Error(ErrorCode::kCorrupt,
                  "migration " + name +
                      " was edited after it landed in this database: restore the file and put the "
                      "change into a new one");
    }
  }
  return rows.size();
}

// Applies the next one. Returns its version, 0 where there is none.
int ApplyNext(PostgresConnection* connection, std::span<const Migration> migrations) {
  int applied_version = 0;
  connection->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    applied_version = 0;
    // Another migration is waited for; a session that holds a table is not: behind a change that
    // waits for it everybody else would wait as well.
    sql.ExecuteScript("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
    sql.Execute(kLock);
    sql.ExecuteScript(kBookkeeping);
    const size_t applied = CountApplied(sql, migrations);
    if (applied > migrations.size()) {
      RefuseNewer(*connection, static_cast<int64_t>(applied), migrations.size());
    }
    if (applied == migrations.size()) return;
    sql.Execute("SET LOCAL lock_timeout = '10s'");
    const Migration& next = migrations[applied];
    sql.ExecuteScript(next.sql);
    sql.Execute("INSERT INTO rebound.schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
                {SqlInt(next.version), std::string(next.name), Sha256Hex(next.sql)});
    applied_version = next.version;
  });
  return applied_version;
}

}  // namespace

std::vector<int> MigrateSchema(PostgresConnection* connection,
                               std::span<const Migration> migrations) {
  CheckOrder(migrations);
  std::vector<int> applied;
  while (const int version = ApplyNext(connection, migrations)) applied.push_back(version);
  return applied;
}

void RequireSchema(PostgresConnection* connection) {
  const auto wanted = static_cast<int64_t>(Migrations().size());
  int64_t found = 0;
  connection->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    found = 0;
    // NULL where the table does not exist; a plain SELECT would be an error.
    if (!sql.Execute("SELECT to_regclass('rebound.schema_migrations')").IsNull(0, 0)) {
      found =
          sql.Execute("SELECT coalesce(max(version), 0) FROM rebound.schema_migrations").Int(0, 0);
    }
  });
  if (found > wanted) RefuseNewer(*connection, found, Migrations().size());
  if (found < wanted) {
    throw Error(ErrorCode::kNotFound,
                connection->description() +
                    (found == 0 ? " has no label store yet"
                                : " has version " + std::to_string(found) +
                                      " of the label store and this program needs " +
                                      std::to_string(wanted)) +
                    ": run rebound-labels migrate");
  }
}

}  // namespace rebound
