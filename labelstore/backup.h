// The whole store in one file and back.
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
// kNotFound for a missing file or manifest, kInvalidArgument for one of a newer schema than this
// program's, kCorrupt where the archive is not what the manifest says or the tables are not what
// was backed up. Rights are not part of a backup: rebound-labels
// roles gives them.
BackupReport RestoreStore(const std::string& uri, const std::filesystem::path& file);

}  // namespace rebound
