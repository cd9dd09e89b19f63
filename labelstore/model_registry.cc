#include "labelstore/model_registry.h"

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "labelstore/bundle_files.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;  // name -> bytes

std::string NameOf(Task task, int version) {
  return std::string(TaskName(task)) + " version " + std::to_string(version);
}

SqlValue TaskValue(Task task) { return std::string(TaskName(task)); }

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

// REQUIRES: `hex` comes from encode(.., 'hex').
std::string FromHex(std::string_view hex) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1]));
  }
  return bytes;
}

void Register(SqlTransaction& sql, const BundleConfig& config) {
  const std::string& weights = config.sha256.at("weights.safetensors");
  sql.Execute(
      "INSERT INTO rebound.models (label_set_id, version, weights_sha256) "
      "SELECT id, $2::int, $3 FROM rebound.label_sets WHERE task = $1 "
      "ON CONFLICT (label_set_id, version) DO NOTHING",
      {TaskValue(config.task), SqlInt(config.version), weights});
  const SqlRows kept = sql.Execute(
      "SELECT m.weights_sha256 FROM rebound.models m JOIN rebound.label_sets s "
      "ON s.id = m.label_set_id WHERE s.task = $1 AND m.version = $2::int",
      {TaskValue(config.task), SqlInt(config.version)});
  if (kept.Text(0, 0) != weights) {
    throw Error(ErrorCode::kConflict,
                NameOf(config.task, config.version) + " is registered with other weights");
  }
}

// One at a time of a version: the second waits for the first one's commit and finds its row.
void StoreDigest(SqlTransaction& sql, const BundleFiles& bundle) {
  const std::string digest = BundleDigest(bundle.sha256);
  const Task task = bundle.config.task;
  sql.Execute(
      "INSERT INTO rebound.bundles (label_set_id, version, digest, bytes) "
      "SELECT id, $2::int, $3, $4::bigint FROM rebound.label_sets WHERE task = $1 "
      "ON CONFLICT (label_set_id, version) DO NOTHING",
      {TaskValue(task), SqlInt(bundle.config.version), digest, SqlInt(bundle.size)});
  const SqlRows kept = sql.Execute(
      "SELECT b.digest FROM rebound.bundles b JOIN rebound.label_sets s ON s.id = b.label_set_id "
      "WHERE s.task = $1 AND b.version = $2::int",
      {TaskValue(task), SqlInt(bundle.config.version)});
  if (kept.Text(0, 0) != digest) {
    throw Error(ErrorCode::kConflict, NameOf(task, bundle.config.version) +
                                          " is in the registry with other files (digest " +
                                          std::string(kept.Text(0, 0)) + ", here " + digest + ")");
  }
}

constexpr const char* kSelectModels =
    "SELECT m.version, m.weights_sha256, coalesce(m.run_id, 0), "
    "to_char(m.registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
    "coalesce(b.digest, ''), coalesce(b.bytes, 0), EXISTS (SELECT 1 FROM rebound.bundle_files f "
    "WHERE f.label_set_id = m.label_set_id AND f.version = m.version) "
    "FROM rebound.models m JOIN rebound.label_sets s ON s.id = m.label_set_id "
    "LEFT JOIN rebound.bundles b ON b.label_set_id = m.label_set_id AND b.version = m.version "
    "WHERE s.task = $1 ";

RegisteredModel ReadModel(Task task, const SqlRows& rows, size_t row) {
  RegisteredModel model;
  model.task = task;
  model.version = static_cast<int>(rows.Int(row, 0));
  model.weights_sha256 = rows.Text(row, 1);
  model.run_id = rows.Int(row, 2);
  model.registered_at = rows.Text(row, 3);
  model.digest = rows.Text(row, 4);
  model.bytes = rows.Int(row, 5);
  model.stored = rows.Bool(row, 6);
  return model;
}

constexpr const char* kSelectPromotions =
    "SELECT p.id, p.version, p.rollback, p.promoted_by, p.reason, "
    "to_char(p.promoted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
    "FROM rebound.promotions p JOIN rebound.label_sets s ON s.id = p.label_set_id "
    "WHERE s.task = $1 ";

Promotion ReadPromotion(Task task, const SqlRows& rows, size_t row) {
  return {rows.Int(row, 0),
          task,
          static_cast<int>(rows.Int(row, 1)),
          rows.Bool(row, 2),
          std::string(rows.Text(row, 3)),
          std::string(rows.Text(row, 4)),
          std::string(rows.Text(row, 5))};
}

std::vector<Promotion> ReadHistory(SqlTransaction& sql, Task task) {
  std::vector<Promotion> history;
  const SqlRows rows =
      sql.Execute(std::string(kSelectPromotions) + "ORDER BY p.id", {TaskValue(task)});
  for (size_t row = 0; row < rows.size(); ++row) history.push_back(ReadPromotion(task, rows, row));
  return history;
}

// Promotions of one task happen one after the other, so that each knows what serves. An advisory
// lock needs no right to change a table.
void LockTask(SqlTransaction& sql, Task task) {
  constexpr int64_t kPromotionLock = 1919247215;
  sql.Execute(
      "SELECT pg_advisory_xact_lock($2::int, id::int) FROM rebound.label_sets WHERE task = $1",
      {TaskValue(task), SqlInt(kPromotionLock)});
}

void InsertPromotion(SqlTransaction& sql, Task task, int version, bool rollback,
                     const std::string& who, const std::string& reason) {
  sql.Execute(
      "INSERT INTO rebound.promotions (label_set_id, version, rollback, promoted_by, reason) "
      "SELECT id, $2::int, $3::boolean, $4, $5 FROM rebound.label_sets WHERE task = $1",
      {TaskValue(task), SqlInt(version), rollback ? "t" : "f", who, reason});
}

// Files and digest of a stored version; throws as Fetch does.
Files Download(SqlTransaction& sql, Task task, int version) {
  const SqlRows known = sql.Execute(
      "SELECT b.digest FROM rebound.bundles b JOIN rebound.label_sets s ON s.id = b.label_set_id "
      "WHERE s.task = $1 AND b.version = $2::int",
      {TaskValue(task), SqlInt(version)});
  const SqlRows rows = sql.Execute(
      "SELECT f.name, f.sha256, encode(f.content, 'hex') FROM rebound.bundle_files f "
      "JOIN rebound.label_sets s ON s.id = f.label_set_id "
      "WHERE s.task = $1 AND f.version = $2::int",
      {TaskValue(task), SqlInt(version)});
  if (known.size() == 0 || rows.size() == 0) {
    throw Error(ErrorCode::kNotFound, "the files of " + NameOf(task, version) +
                                          " are not in the registry: rebound-labels registry "
                                          "upload DIR stores them");
  }
  Files files;
  std::map<std::string, std::string> sha256;
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::string name(rows.Text(row, 0));
    files[name] = FromHex(rows.Text(row, 2));
    sha256[name] = Sha256Hex(files[name]);
    if (sha256[name] != rows.Text(row, 1)) {
      throw Error(ErrorCode::kCorrupt, name + " of " + NameOf(task, version) +
                                           " in the registry has sha256 " + sha256[name] +
                                           " and should have " + std::string(rows.Text(row, 1)) +
                                           ": restore the database or promote another version");
    }
  }
  const std::string digest = BundleDigest(sha256);
  if (digest != known.Text(0, 0)) {
    throw Error(ErrorCode::kCorrupt, NameOf(task, version) + " in the registry has digest " +
                                         digest + " and should have " +
                                         std::string(known.Text(0, 0)) +
                                         ": restore the database or promote another version");
  }
  return files;
}

}  // namespace

std::optional<int> VersionBefore(const std::vector<Promotion>& history) {
  std::vector<int> served;  // what a roll-back could go through, the current one last
  for (const Promotion& each : history) {
    if (each.rollback) {
      const auto back = std::find(served.rbegin(), served.rend(), each.version);
      if (back != served.rend()) served.erase(back.base(), served.end());
    }
    if (served.empty() || served.back() != each.version) served.push_back(each.version);
  }
  if (served.size() < 2) return std::nullopt;
  return served[served.size() - 2];
}

ModelRegistry::ModelRegistry(const std::string& uri, PostgresOptions options)
    : connection_(uri, std::move(options)) {
  RequireSchema(&connection_);
}

RegisteredModel ModelRegistry::Upload(const fs::path& folder) {
  const BundleFiles bundle = ReadBundleFiles(folder);
  const Task task = bundle.config.task;
  const int version = bundle.config.version;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    Register(sql, bundle.config);
    StoreDigest(sql, bundle);
    const SqlRows stored = sql.Execute(
        "SELECT 1 FROM rebound.bundle_files f JOIN rebound.label_sets s ON s.id = f.label_set_id "
        "WHERE s.task = $1 AND f.version = $2::int LIMIT 1",
        {TaskValue(task), SqlInt(version)});
    if (stored.size() > 0) return;
    for (const auto& [name, bytes] : bundle.bytes) {
      sql.Execute(
          "INSERT INTO rebound.bundle_files (label_set_id, version, name, sha256, content) "
          "SELECT id, $2::int, $3, $4, decode($5, 'hex') FROM rebound.label_sets WHERE task = $1 "
          "ON CONFLICT (label_set_id, version, name) DO NOTHING",
          {TaskValue(task), SqlInt(version), name, bundle.sha256.at(name), ToHex(bytes)});
    }
  });
  return Find(task, version).value();
}

bool ModelRegistry::Matches(Task task, int version, const BundleStore& bundles) {
  const std::optional<RegisteredModel> known = Find(task, version);
  if (!known) throw Error(ErrorCode::kNotFound, NameOf(task, version) + " is not registered");
  try {
    const BundleFiles here = ReadBundleFiles(bundles.BundleFolder(task, version));
    return known->digest.empty()
               ? here.config.sha256.at("weights.safetensors") == known->weights_sha256
               : BundleDigest(here.sha256) == known->digest;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound && error.code() != ErrorCode::kCorrupt) throw;
    return false;
  }
}

bool ModelRegistry::MayPromote() {
  bool may = false;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    may = sql.Execute(
                 "SELECT bool_and(has_table_privilege('rebound.' || t, 'INSERT')) FROM "
                 "unnest(ARRAY['models', 'bundles', 'bundle_files', 'promotions']) t")
              .Bool(0, 0);
  });
  return may;
}

std::vector<RegisteredModel> ModelRegistry::Versions(Task task) {
  std::vector<RegisteredModel> models;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    models.clear();
    const SqlRows rows =
        sql.Execute(std::string(kSelectModels) + "ORDER BY m.version", {TaskValue(task)});
    for (size_t row = 0; row < rows.size(); ++row) models.push_back(ReadModel(task, rows, row));
  });
  return models;
}

std::optional<RegisteredModel> ModelRegistry::Find(Task task, int version) {
  std::optional<RegisteredModel> model;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    model.reset();
    const SqlRows rows = sql.Execute(std::string(kSelectModels) + "AND m.version = $2::int",
                                     {TaskValue(task), SqlInt(version)});
    if (rows.size() == 1) model = ReadModel(task, rows, 0);
  });
  return model;
}

std::optional<Promotion> ModelRegistry::Current(Task task) {
  std::optional<Promotion> current;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    current.reset();
    const SqlRows rows = sql.Execute(std::string(kSelectPromotions) + "ORDER BY p.id DESC LIMIT 1",
                                     {TaskValue(task)});
    if (rows.size() == 1) current = ReadPromotion(task, rows, 0);
  });
  return current;
}

std::vector<Promotion> ModelRegistry::History(Task task) {
  std::vector<Promotion> history;
  connection_.Transact(SqlIsolation::kReadCommitted,
                       [&](SqlTransaction& sql) { history = ReadHistory(sql, task); });
  return history;
}

fs::path ModelRegistry::Fetch(Task task, int version, BundleStore* bundles) {
  Files files;
  connection_.Transact(SqlIsolation::kReadCommitted,
                       [&](SqlTransaction& sql) { files = Download(sql, task, version); });
  bundles->Install(task, version, files);
  return bundles->BundleFolder(task, version);
}

bool ModelRegistry::Promote(Task task, int version, const std::string& who,
                            const std::string& reason) {
  bool changed = false;
  // A repeated commit in doubt finds the version serving: idempotent.
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    changed = false;
    LockTask(sql, task);
    if (sql.Execute(std::string(kSelectModels) + "AND m.version = $2::int",
                    {TaskValue(task), SqlInt(version)})
            .size() == 0) {
      throw Error(ErrorCode::kNotFound,
                  NameOf(task, version) +
                      " is not registered: rebound-labels registry upload DIR brings it in");
    }
    const std::vector<Promotion> history = ReadHistory(sql, task);
    if (!history.empty() && history.back().version == version) return;
    InsertPromotion(sql, task, version, false, who, reason);
    changed = true;
  });
  return changed;
}

int ModelRegistry::Rollback(Task task, const std::string& who, const std::string& reason) {
  int version = 0;
  connection_.TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    LockTask(sql, task);
    const std::vector<Promotion> history = ReadHistory(sql, task);
    const std::optional<int> before = VersionBefore(history);
    if (!before) {
      throw Error(ErrorCode::kNotFound,
                  history.empty()
                      ? "no version of " + std::string(TaskName(task)) + " serves"
                      : "nothing served before " + NameOf(task, history.back().version) +
                            ": there is nothing to go back to");
    }
    version = *before;
    InsertPromotion(sql, task, version, true, who, reason);
  });
  return version;
}

bool ModelRegistry::Adopt(Task task, const BundleStore& bundles) {
  if (Current(task)) return false;
  try {
    const std::optional<int> version = bundles.Current(task);
    if (!version) return false;
    Upload(bundles.BundleFolder(task, *version));
    return Promote(task, *version, "registry", "served before promotions were recorded here");
  } catch (const Error& error) {
    const bool unfit = error.code() == ErrorCode::kCorrupt ||
                       error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kConflict;
    if (!unfit) throw;
    return false;
  }
}

std::vector<RegisteredModel> ModelRegistry::Prune(int keep, bool dry_run) {
  std::vector<RegisteredModel> pruned;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    pruned.clear();
    for (const Task task : kTasks) {
      LockTask(sql, task);
      const std::vector<Promotion> history = ReadHistory(sql, task);
      const int current = history.empty() ? 0 : history.back().version;
      const int before = VersionBefore(history).value_or(0);
      const SqlRows rows =
          sql.Execute(std::string(kSelectModels) + "ORDER BY m.version DESC", {TaskValue(task)});
      int kept = 0;
      for (size_t row = 0; row < rows.size(); ++row) {
        const RegisteredModel model = ReadModel(task, rows, row);
        if (!model.stored) continue;
        if (kept < keep || model.version == current || model.version == before) {
          ++kept;
          continue;
        }
        pruned.push_back(model);
        if (dry_run) continue;
        sql.Execute(
            "DELETE FROM rebound.bundle_files WHERE version = $2::int AND label_set_id = "
            "(SELECT id FROM rebound.label_sets WHERE task = $1)",
            {TaskValue(task), SqlInt(model.version)});
      }
    }
  });
  return pruned;
}

}  // namespace rebound
