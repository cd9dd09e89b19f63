#include "serve/spool.h"

#include <system_error>

#include "base/error.h"
#include "base/utc_time.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFormat = 1;  // of the file: PRAGMA user_version
// What a row takes besides its texts.
constexpr int64_t kRowBytes = 200;

// Twice as many as there are threads that add.
constexpr int64_t kLeaveFirst = 10;
constexpr std::chrono::milliseconds kMostPatience(250);
constexpr std::chrono::seconds kStillLeaving(1);

// AUTOINCREMENT: an id never comes back, so that order is order. The totals are kept by triggers:
// to count a million rows for every contribution would take too long.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS entries (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  spooled_at      TEXT NOT NULL,
  contributor     TEXT NOT NULL,
  idempotency_key TEXT,
  digest          TEXT NOT NULL,
  proposals       INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  payload         TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_request_a_key ON entries (contributor, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS of_contributor ON entries (contributor, id, proposals);
CREATE TABLE IF NOT EXISTS dead_letters (
  id              INTEGER PRIMARY KEY,
  spooled_at      TEXT NOT NULL,
  died_at         TEXT NOT NULL,
  why             TEXT NOT NULL,
  contributor     TEXT NOT NULL,
  idempotency_key TEXT,
  digest          TEXT NOT NULL,
  proposals       INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  payload         TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS totals (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  waiting INTEGER NOT NULL, bytes INTEGER NOT NULL, dead INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS entry_in AFTER INSERT ON entries BEGIN
  UPDATE totals SET waiting = waiting + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER IF NOT EXISTS entry_out AFTER DELETE ON entries BEGIN
  UPDATE totals SET waiting = waiting - 1, bytes = bytes - OLD.bytes;
END;
CREATE TRIGGER IF NOT EXISTS dead_in AFTER INSERT ON dead_letters BEGIN
  UPDATE totals SET dead = dead + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER IF NOT EXISTS dead_out AFTER DELETE ON dead_letters BEGIN
  UPDATE totals SET dead = dead - 1, bytes = bytes - OLD.bytes;
END;
PRAGMA user_version = 1;
)";

constexpr const char* kColumns =
    "id, contributor, idempotency_key, digest, proposals, payload, spooled_at";

SpoolEntry EntryOf(const SqliteRow& row) {
  SpoolEntry entry;
  entry.id = row.Int(0);
  entry.contributor = row.Text(1);
  entry.idempotency_key = row.Text(2);
  entry.digest = row.Text(3);
  entry.proposals = row.Int(4);
  entry.payload = row.Text(5);
  entry.spooled_at = row.Text(6);
  return entry;
}

DeadLetter LetterOf(const SqliteRow& row) {
  DeadLetter letter;
  letter.entry = EntryOf(row);
  letter.why = row.Text(7);
  letter.died_at = row.Text(8);
  return letter;
}

fs::path MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) {
    fs::permissions(folder, fs::perms::owner_all, error);
  } else if (error || !fs::is_directory(folder)) {
    throw Error(ErrorCode::kInvalidArgument,
                "the spool's folder " + folder.string() + " cannot be made" +
                    (error ? " (" + error.message() + ")" : "") + ": name another with --spool");
  }
  return folder / "spool.sqlite";
}

}  // namespace

Spool::Spool(const SpoolOptions& options)
    : options_(options), database_(MakeFolder(options.folder)) {
  int64_t format = 0;
  database_.Execute("PRAGMA user_version", {}, [&](const SqliteRow& row) { format = row.Int(0); });
  if (format > kFormat) {
    throw Error(ErrorCode::kInvalidArgument,
                database_.path().string() + " has the format " + std::to_string(format) +
                    " of a newer server: start that one, or name another folder with --spool");
  }
  database_.Transact([&] { database_.ExecuteScript(kSchema); });
  ReadTotals();
}

void Spool::ReadTotals() {
  database_.Execute("SELECT waiting, bytes, dead FROM totals", {}, [&](const SqliteRow& row) {
    waiting_ = row.Int(0);
    bytes_ = row.Int(1);
    dead_ = row.Int(2);
  });
}

void Spool::Look() {
  const std::lock_guard lock(mutex_);
  ReadTotals();
}

SpoolOutcome Spool::Add(const SpoolEntry& entry) {
  const auto size = static_cast<int64_t>(entry.payload.size() + entry.contributor.size() +
                                         entry.idempotency_key.size() + entry.digest.size()) +
                    kRowBytes;
  const bool has_key = !entry.idempotency_key.empty();
  SpoolOutcome outcome = SpoolOutcome::kAdded;
  const std::lock_guard lock(mutex_);
  database_.Transact([&] {
    ReadTotals();
    if (has_key) {
      database_.Execute(
          "SELECT digest FROM entries WHERE contributor = ?1 AND idempotency_key = ?2",
          {entry.contributor, entry.idempotency_key}, [&](const SqliteRow& row) {
            outcome =
                row.Text(0) == entry.digest ? SpoolOutcome::kRepeated : SpoolOutcome::kKeyReused;
          });
      if (outcome != SpoolOutcome::kAdded) return;
    }
    if (waiting_ + dead_ >= options_.max_entries || bytes_ + size > options_.max_bytes) {
      outcome = SpoolOutcome::kFull;
      return;
    }
    const SqliteValue key = has_key ? SqliteValue(entry.idempotency_key) : SqliteValue();
    database_.Execute(
        "INSERT INTO entries "
        "(spooled_at, contributor, idempotency_key, digest, proposals, bytes, payload) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        {UtcNow(), entry.contributor, key, entry.digest, entry.proposals, size, entry.payload});
  });
  ReadTotals();
  return outcome;
}

std::vector<SpoolEntry> Spool::Read(size_t most_entries, int64_t most_proposals) {
  std::vector<SpoolEntry> entries;
  const std::lock_guard lock(mutex_);
  // Which first, then what they hold: payloads are large.
  int64_t proposals = 0, last = 0;
  bool is_full = false;
  database_.Execute("SELECT id, proposals FROM entries ORDER BY id LIMIT ?1",
                    {static_cast<int64_t>(most_entries)}, [&](const SqliteRow& row) {
                      is_full = is_full || (last > 0 && proposals + row.Int(1) > most_proposals);
                      if (is_full) return;
                      last = row.Int(0);
                      proposals += row.Int(1);
                    });
  database_.Execute(
      "SELECT " + std::string(kColumns) + " FROM entries WHERE id <= ?1 ORDER BY id LIMIT ?2",
      {last, static_cast<int64_t>(most_entries)},
      [&](const SqliteRow& row) { entries.push_back(EntryOf(row)); });
  return entries;
}

void Spool::Remove(const std::vector<int64_t>& ids) {
  {
    const std::lock_guard lock(mutex_);
    database_.Transact([&] {
      for (const int64_t id : ids) database_.Execute("DELETE FROM entries WHERE id = ?1", {id});
    });
    ReadTotals();
  }
  {
    const std::lock_guard lock(leaving_mutex_);
    left_count_ += static_cast<int64_t>(ids.size());
    last_left_ = std::chrono::steady_clock::now();
  }
  left_.notify_all();
}

void Spool::LetOthersLeave() {
  if (waiting_ == 0) return;
  std::unique_lock lock(leaving_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (left_count_ == 0 || now - last_left_ > kStillLeaving) return;
  const int64_t enough = left_count_ + kLeaveFirst;
  left_.wait_until(lock, now + kMostPatience,
                   [&] { return waiting_ == 0 || left_count_ >= enough; });
}

void Spool::Bury(int64_t id, std::string_view why) {
  const std::lock_guard lock(mutex_);
  database_.Transact([&] {
    database_.Execute(
        "INSERT OR IGNORE INTO dead_letters (id, spooled_at, died_at, why, contributor, "
        "idempotency_key, digest, proposals, bytes, payload) SELECT id, spooled_at, ?2, ?3, "
        "contributor, idempotency_key, digest, proposals, bytes, payload FROM entries "
        "WHERE id = ?1",
        {id, UtcNow(), why});
    database_.Execute("DELETE FROM entries WHERE id = ?1", {id});
  });
  ReadTotals();
}

std::vector<DeadLetter> Spool::DeadLetters(size_t most) {
  std::vector<DeadLetter> dead;
  const std::lock_guard lock(mutex_);
  database_.Execute(
      "SELECT id, contributor, idempotency_key, digest, proposals, '', spooled_at, why, died_at "
      "FROM dead_letters ORDER BY died_at DESC, id DESC LIMIT ?1",
      {static_cast<int64_t>(most)}, [&](const SqliteRow& row) { dead.push_back(LetterOf(row)); });
  return dead;
}

bool Spool::Revive(int64_t id) {
  bool was_there = false;
  const std::lock_guard lock(mutex_);
  database_.Transact([&] {
    // A new id: behind all others, and what was delivered of it keeps its delivery ids.
    was_there = database_.Execute(
                    "INSERT INTO entries (spooled_at, contributor, idempotency_key, digest, "
                    "proposals, bytes, payload) SELECT spooled_at, contributor, idempotency_key, "
                    "digest, proposals, bytes, payload FROM dead_letters WHERE id = ?1",
                    {id}) > 0;
    database_.Execute("DELETE FROM dead_letters WHERE id = ?1", {id});
  });
  ReadTotals();
  return was_there;
}

std::optional<DeadLetter> Spool::Discard(int64_t id) {
  std::optional<DeadLetter> letter;
  const std::lock_guard lock(mutex_);
  database_.Transact([&] {
    database_.Execute(
        "SELECT " + std::string(kColumns) + ", why, died_at FROM dead_letters WHERE id = ?1", {id},
        [&](const SqliteRow& row) { letter = LetterOf(row); });
    database_.Execute("DELETE FROM dead_letters WHERE id = ?1", {id});
  });
  ReadTotals();
  return letter;
}

Spool::OfContributor Spool::WaitingOf(std::string_view contributor, int64_t most) {
  OfContributor waiting;
  const std::lock_guard lock(mutex_);
  database_.Execute("SELECT coalesce(sum(proposals), 0) FROM entries WHERE contributor = ?1",
                    {contributor}, [&](const SqliteRow& row) { waiting.proposals = row.Int(0); });
  if (waiting.proposals == 0) return waiting;
  int64_t oldest = 0, held = 0;
  database_.Execute(
      "SELECT id, proposals FROM entries WHERE contributor = ?1 ORDER BY id DESC LIMIT ?2",
      {contributor, most}, [&](const SqliteRow& row) {
        if (held >= most) return;
        oldest = row.Int(0);
        held += row.Int(1);
      });
  database_.Execute("SELECT " + std::string(kColumns) +
                        " FROM entries WHERE contributor = ?1 AND id >= ?2 ORDER BY id DESC",
                    {contributor, oldest},
                    [&](const SqliteRow& row) { waiting.entries.push_back(EntryOf(row)); });
  return waiting;
}

}  // namespace rebound
