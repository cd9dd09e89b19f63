// The whole store in one file and back, and what may be forgotten.
//
// A backup is pg_dump's own archive of the schema `rebound`, with a manifest beside it (FILE.json):
// the sha256 of the archive, and of every table how many rows it has and a checksum of them, taken
// in the very snapshot that was dumped. A restore is believed only where all of that holds.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "datasource/postgres.h"

namespace rebound {

struct BackupReport {
  int64_t schema_version = 0;
  std::map<std::string, int64_t> rows;  // by table
  std::string sha256;                   // of the archive
};

// Replaces `file` and its manifest once both are on disk. Work goes on meanwhile. Throws kNotFound
// where there is no store, kUnavailable.
BackupReport BackUpStore(const std::string& uri, const std::filesystem::path& file);

// Into a database without the schema `rebound`, all or nothing. Throws kConflict where it has one,
// kNotFound for a missing file or manifest, kCorrupt where the archive is not what the manifest
// says or the tables are not what was backed up. Rights are not part of a backup: rebound-labels
// roles gives them.
BackupReport RestoreStore(const std::string& uri, const std::filesystem::path& file);

struct Retention {
  int64_t proposals = 0;  // rejected, skipped and quarantined ones
  int64_t texts = 0;      // that no proposal speaks of any more
  int64_t clusters = 0;
  int64_t deliveries = 0;
  int64_t idempotency_keys = 0;
};
// Removes what was decided or set aside (and has not changed) for `days` and trains nothing, with
// its texts, comments and reviews; delivery ids and idempotency keys as old go too. What was
// approved stays, and so do the audit (which holds no text) and the contributors' records.
// `dry_run`: counts alone. Throws kInvalidArgument for less than a day.
Retention RetainStore(PostgresConnection* connection, int64_t days, bool dry_run,
                      const std::string& by);

}  // namespace rebound
