// The cache on disk: one file that is written whole or not at all, and believed whole or not at
// all.
//
//     header     format, normaliser, program, the secret of the keys, checksum           64 bytes
//     block ...  count, checksum over the one before and this one's entries, entries      24 an
//     entry end        a block of none: what comes without it was cut short
//
// It holds hashes of texts, never a text, and is readable by its owner alone (0600): who has the
// file has the secret too and can ask whether a text that he guesses was seen. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "serve/cache.h"
#include "serve/siphash.h"

namespace rebound {

struct CacheSnapshot {
  std::filesystem::path path;
  std::string program;  // the version of the program: another may compute other outputs
};

// All throw Error: kNotFound where there is no snapshot, kConflict where another version wrote it
// or it has another secret, kTooLarge where it is larger than the cache may be, kCorrupt where it
// is damaged, kUnavailable for the rest (names the system's reason, such as a full disk).

// The secret that a cache needs to take the snapshot's entries.
SipSecret ReadSnapshotSecret(const CacheSnapshot& snapshot);

// Checks the whole file, then adds what fits. Returns how many entries the file holds.
size_t LoadCacheSnapshot(const CacheSnapshot& snapshot, Cache* cache);

// Writes the entries of `models` (Cache::ModelOf), all where it is empty, through a temporary file
// beside it that is renamed. On an error the old snapshot stays. Not for two at once on one path.
// Returns how many it wrote.
size_t WriteCacheSnapshot(const CacheSnapshot& snapshot, const Cache& cache,
                          const std::vector<uint16_t>& models);

}  // namespace rebound
