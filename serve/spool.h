// Contributions that were acknowledged and have not reached the label store yet, on this machine's
// disk: what Add returned from is there after a kill and a power cut, and stays until the store has
// it. Masked texts alone are written.
//
// Entries keep their order. What the store refuses for good is set aside in a table of its own and
// counted; nothing is thrown away but by Discard. Several processes may use one folder.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/sqlite.h"

namespace rebound {

struct SpoolOptions {
  std::filesystem::path folder;  // made where it is missing
  int64_t max_bytes = 256 * 1024 * 1024;
  int64_t max_entries = 1'000'000;
};

// One request.
struct SpoolEntry {
  int64_t id = 0;  // ascending; given by Add
  std::string contributor;
  std::string idempotency_key;  // empty: none
  std::string digest;           // of what was asked for, to know a key that comes again
  int64_t proposals = 1;
  std::string payload;     // JSON (submission.h)
  std::string spooled_at;  // ISO 8601, UTC; given by Add
};

// An entry that the store refused.
struct DeadLetter {
  SpoolEntry entry;
  std::string why;
  std::string died_at;  // ISO 8601, UTC
};

enum class SpoolOutcome : uint8_t {
  kAdded,
  kRepeated,   // the same request with the same key waits already: nothing was added
  kKeyReused,  // the key waits with another request: nothing was added
  kFull,       // of entries or bytes, the refused ones counted: nothing was added
};

class Spool {
 public:
  // Throws kInvalidArgument where the folder cannot be made or the file is no spool of this format,
  // else as SqliteDatabase.
  explicit Spool(const SpoolOptions& options);

  // Throws kUnavailable where the disk is full or fails: nothing was added then.
  SpoolOutcome Add(const SpoolEntry& entry);

  // The first ones, oldest first: at least one where there is one, then more up to these numbers.
  std::vector<SpoolEntry> Read(size_t most_entries, int64_t most_proposals);
  // The store has them.
  void Remove(const std::vector<int64_t>& ids);
  // While entries leave for the store, waits until a few have left or none waits, but not long: who
  // adds at half the pace at which others leave lets the spool come to its end. Returns at once
  // where none waits or none leaves.
  void LetOthersLeave();
  // Sets one aside.
  void Bury(int64_t id, std::string_view why);
  // Newest first, without their payloads.
  std::vector<DeadLetter> DeadLetters(size_t most);

  // One that was set aside waits again, behind all others. False where there is none of this id.
  // Throws kConflict where another request with its idempotency key waits; nothing changed then.
  bool Revive(int64_t id);
  // Throws one that was set aside away, for good. Nullopt where there is none of this id.
  std::optional<DeadLetter> Discard(int64_t id);

  // What waits of one contributor: how many proposals, and the requests that hold the newest `most`
  // of them, newest first.
  struct OfContributor {
    int64_t proposals = 0;
    std::vector<SpoolEntry> entries;
  };
  OfContributor WaitingOf(std::string_view contributor, int64_t most);

  // As of the last call above, or of Look, which asks the file: what other processes did.
  int64_t waiting() const { return waiting_; }  // entries
  int64_t bytes() const { return bytes_; }      // of waiting and refused ones
  int64_t dead() const { return dead_; }        // entries
  void Look();

 private:
  void ReadTotals();

  const SpoolOptions options_;
  std::mutex mutex_;
  SqliteDatabase database_;
  std::atomic<int64_t> waiting_ = 0, bytes_ = 0, dead_ = 0;

  // Never held while the database is used.
  std::mutex leaving_mutex_;
  std::condition_variable left_;
  int64_t left_count_ = 0;
  std::chrono::steady_clock::time_point last_left_;
};

}  // namespace rebound
