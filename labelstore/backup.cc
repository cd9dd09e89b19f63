#include "labelstore/backup.h"

#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "datasource/postgres.h"
#include "datasource/postgres_tools.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

struct TableSum {
  int64_t rows = 0;
  std::string sum;
  bool operator==(const TableSum&) const = default;
};
using TableSums = std::map<std::string, TableSum>;

// Whatever tables the schema has by now.
TableSums SumTables(SqlTransaction& sql) {
  const SqlRows names = sql.Execute(
      "SELECT c.relname, quote_ident(c.relname) FROM pg_class c "
      "JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = 'rebound' AND c.relkind IN ('r', 'p') ORDER BY 1");
  TableSums sums;
  for (size_t row = 0; row < names.size(); ++row) {
    const SqlRows sum = sql.Execute(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM rebound." +
        std::string(names.Text(row, 1)) + " t");
    sums[std::string(names.Text(row, 0))] = {sum.Int(0, 0), std::string(sum.Text(0, 1))};
  }
  return sums;
}

int64_t SchemaVersion(SqlTransaction& sql) {
  if (sql.Execute("SELECT to_regclass('rebound.schema_migrations')").IsNull(0, 0)) return 0;
  return sql.Execute("SELECT coalesce(max(version), 0) FROM rebound.schema_migrations").Int(0, 0);
}

fs::path ManifestOf(const fs::path& file) { return file.string() + ".json"; }

std::string WriteManifest(const BackupReport& report, const TableSums& sums) {
  std::string out;
  JsonWriter(&out, true).Object([&](JsonWriter& w) {
    w.Key("format").Int(1);
    w.Key("schema_version").Int(report.schema_version);
    w.Key("sha256").String(report.sha256);
    w.Key("tables").Object([&](JsonWriter& tables) {
      for (const auto& [name, sum] : sums) {
        tables.Key(name).Object([&](JsonWriter& table) {
          table.Key("rows").Int(sum.rows);
          table.Key("sum").String(sum.sum);
        });
      }
    });
  });
  return out + "\n";
}

JsonDocument ParseManifest(const fs::path& path) {
  const std::string text = ReadFile(path);
  try {
    return ParseJson(text);
  } catch (const Error&) {
    throw Error(ErrorCode::kCorrupt, path.string() + " was cut or altered: take another backup");
  }
}

TableSums ReadManifest(const fs::path& path, BackupReport* report) {
  const JsonDocument manifest = ParseManifest(path);
  if (GetJsonInt(manifest, "format") != 1) {
    throw Error(ErrorCode::kCorrupt, path.string() + ": a manifest of another format");
  }
  report->schema_version = GetJsonInt(manifest, "schema_version");
  report->sha256 = GetJsonString(manifest, "sha256");
  TableSums sums;
  for (const auto& [name, table] : GetJson(manifest, "tables").GetObject()) {
    sums[std::string(JsonText(name))] = {GetJsonInt(table, "rows"),
                                         std::string(GetJsonString(table, "sum"))};
  }
  return sums;
}

void CountRows(const TableSums& sums, BackupReport* report) {
  report->rows.clear();
  for (const auto& [name, sum] : sums) report->rows[name] = sum.rows;
}

}  // namespace

BackupReport BackUpStore(const std::string& uri, const fs::path& file) {
  BackupReport report;
  TableSums sums;
  const TempFolder folder(".backup-", fs::absolute(file).parent_path());
  const fs::path archive = folder.path() / "archive";
  PostgresConnection connection(uri);
  connection.TransactOnce(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    // This transaction is silent while pg_dump works in its snapshot.
    sql.ExecuteScript(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0");
    report.schema_version = SchemaVersion(sql);
    if (report.schema_version == 0) {
      throw Error(ErrorCode::kNotFound,
                  connection.description() + " has no label store: nothing to back up");
    }
    const std::string snapshot(sql.Execute("SELECT pg_export_snapshot()").Text(0, 0));
    sums = SumTables(sql);
    RunPostgresTool(
        "pg_dump",
        {"--format=custom", "--schema=rebound", "--no-owner", "--no-privileges",
         "--lock-wait-timeout=60s", "--snapshot=" + snapshot, "--file=" + archive.string()},
        uri);
  });
  report.sha256 = Sha256HexOfFile(archive);
  CountRows(sums, &report);
  SyncPath(archive);
  fs::rename(archive, file);
  WriteFileDurably(ManifestOf(file), WriteManifest(report, sums));
  return report;
}

BackupReport RestoreStore(const std::string& uri, const fs::path& file) {
  BackupReport report;
  const TableSums wanted = ReadManifest(ManifestOf(file), &report);
  if (Sha256HexOfFile(file) != report.sha256) {
    throw Error(ErrorCode::kCorrupt, file.string() +
                                         " is not the archive that its manifest describes: take "
                                         "another backup");
  }
  if (report.schema_version > static_cast<int64_t>(Migrations().size())) {
    throw Error(ErrorCode::kInvalidArgument,
                file.string() + " has version " + std::to_string(report.schema_version) +
                    " of the label store and this program knows only " +
                    std::to_string(Migrations().size()) +
                    ": use the release that wrote it, or a newer one");
  }
  PostgresConnection connection(uri);
  connection.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    if (!sql.Execute("SELECT to_regnamespace('rebound')").IsNull(0, 0)) {
      throw Error(ErrorCode::kConflict, connection.description() +
                                            " holds a label store: restore into an empty database");
    }
  });
  // pg_restore takes its database from --dbname alone; an empty string is what PGDATABASE says.
  RunPostgresTool("pg_restore",
                  {"--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
                   "--dbname=", fs::absolute(file).string()},
                  uri);
  TableSums found;
  connection.Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    sql.Execute("SET LOCAL statement_timeout = 0");
    found = SumTables(sql);
  });
  for (const auto& [name, sum] : wanted) {
    const auto table = found.find(name);
    if (table != found.end() && table->second == sum) continue;
    throw Error(ErrorCode::kCorrupt,
                "table " + name + " came back otherwise than it was backed up");
  }
  CountRows(found, &report);
  return report;
}

}  // namespace rebound
