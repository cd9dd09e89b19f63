#include "labelstore/postgres_label_store.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

constexpr size_t kReadBlock = 5000;

// The first of the two numbers of a run's advisory lock; the second is the run's id.
constexpr int64_t kRunLock = 1919247214;

// Times leave the database in one form.
constexpr const char* kSelectSnapshot =
    "SELECT id, digest, rows, to_char(created_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
    "FROM rebound.snapshots WHERE ";

SnapshotInfo ReadInfo(const SqlRows& rows) {
  return {rows.Int(0, 0), std::string(rows.Text(0, 1)), rows.Int(0, 2),
          std::string(rows.Text(0, 3))};
}

SqlValue JsonOrNull(const std::string& json) { return json.empty() ? SqlValue() : SqlValue(json); }

uint64_t ParseSeed(std::string_view text) {
  uint64_t seed = 0;
  std::from_chars(text.data(), text.data() + text.size(), seed);
  return seed;
}

std::string NameOf(Task task, int version) {
  return std::string(TaskName(task)) + " version " + std::to_string(version);
}

}  // namespace

PostgresLabelStore::PostgresLabelStore(const std::string& uri, PostgresOptions options)
    : connection_(uri, std::move(options)) {
  RequireSchema(&connection_);
  connection_.Transact(SqlIsolation::kReadCommitted,
                       [&](SqlTransaction& sql) { catalog_ = LoadCatalog(sql); });
}

ImportResult PostgresLabelStore::Submit(const std::vector<Submission>& submissions) {
  std::vector<Message> messages;
  messages.reserve(submissions.size());
  for (size_t i = 0; i < submissions.size(); ++i)
    messages.push_back(MakeMessage(submissions[i], i));
  ImportResult result;
  if (submissions.empty()) return result;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    result = WriteSubmissions(sql, catalog_, submissions, messages);
  });
  return result;
}

// --- snapshots -----------------------------------------------------------------------------------

SnapshotRow PostgresLabelStore::ReadRow(const SqlRows& rows, size_t row) const {
  SnapshotRow out;
  out.message_id = rows.Int(row, 0);
  const auto origin = ParseOrigin(rows.Text(row, 1));
  if (!origin) throw Error(ErrorCode::kInternal, "the store holds an unknown origin");
  out.origin = *origin;
  for (const Task task : kTasks) {
    const size_t column = 2 + Index(task);
    if (rows.IsNull(row, column)) continue;
    const auto position = catalog_.positions.find(rows.Int(row, column));
    if (position == catalog_.positions.end()) {
      throw Error(ErrorCode::kNotFound,
                  "the store holds a label that this program does not know: use the newer one");
    }
    out.labels[Index(task)] = position->second.second;
  }
  out.group = rows.Text(row, 5);
  out.held_out = rows.Bool(row, 6);
  return out;
}

SnapshotInfo PostgresLabelStore::MakeSnapshot() {
  SnapshotInfo info;
  connection_.Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    sql.Execute(
        "CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS "
        "SELECT row_number() OVER (ORDER BY m.digest, m.normaliser_version) AS position, m.id, "
        "e.origin, e.bnac, e.backoff, e.action, m.split_group, m.held_out, m.digest, "
        "m.normaliser_version FROM rebound.messages m JOIN ("
        "  SELECT message_id, max(origin) AS origin,"
        "    max(label_id) FILTER (WHERE s.task = 'bnac') AS bnac,"
        "    max(label_id) FILTER (WHERE s.task = 'backoff') AS backoff,"
        "    max(label_id) FILTER (WHERE s.task = 'action') AS action"
        "  FROM rebound.effective_labels l JOIN rebound.label_sets s ON s.id = l.label_set_id"
        "  GROUP BY message_id) e ON e.message_id = m.id");
    SnapshotDigest digest;
    sql.Stream(
        "SELECT id, origin, bnac, backoff, action, split_group, held_out, encode(digest, 'hex'), "
        "normaliser_version FROM pg_temp.frozen ORDER BY position",
        {}, kReadBlock, [&](const SqlRows& rows) {
          for (size_t row = 0; row < rows.size(); ++row) {
            digest.Add(rows.Text(row, 7), rows.Int(row, 8), ReadRow(rows, row));
          }
        });
    const std::string name = digest.FinishHex();
    // Of two at once with the same content one gets a serialization failure and finds the other's.
    const SqlRows made = sql.Execute(
        "INSERT INTO rebound.snapshots (digest, rows) SELECT $1, count(*) FROM pg_temp.frozen "
        "ON CONFLICT (digest) DO NOTHING RETURNING id",
        {name});
    if (made.size() == 1) {
      sql.Execute(
          "INSERT INTO rebound.snapshot_rows "
          "(snapshot_id, position, message_id, origin, bnac, backoff, action) "
          "SELECT $1::bigint, position, id, origin, bnac, backoff, action FROM pg_temp.frozen "
          "ORDER BY position",
          {SqlInt(made.Int(0, 0))});
    }
    info = ReadInfo(sql.Execute(std::string(kSelectSnapshot) + "digest = $1", {name}));
  });
  return info;
}

std::optional<SnapshotInfo> PostgresLabelStore::FindSnapshot(int64_t id) {
  std::optional<SnapshotInfo> info;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows rows =
        sql.Execute(std::string(kSelectSnapshot) + "id = $1::bigint", {SqlInt(id)});
    info.reset();
    if (rows.size() == 1) info = ReadInfo(rows);
  });
  return info;
}

void PostgresLabelStore::ReadSnapshot(int64_t id,
                                      const std::function<void(const SnapshotRow&)>& row) {
  // Frozen rows never change, so every block may be read in a transaction of its own: the callback
  // never runs twice for one row, even where the connection breaks in between.
  if (!FindSnapshot(id)) throw Error(ErrorCode::kNotFound, "no snapshot " + std::to_string(id));
  int64_t position = 0;
  while (true) {
    std::vector<SnapshotRow> block;
    connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      const SqlRows rows = sql.Execute(
          "SELECT m.id, r.origin, r.bnac, r.backoff, r.action, m.split_group, m.held_out, m.text "
          "FROM rebound.snapshot_rows r JOIN rebound.messages m ON m.id = r.message_id "
          "WHERE r.snapshot_id = $1::bigint AND r.position > $2::bigint "
          "AND r.position <= $2::bigint + $3::bigint ORDER BY r.position",
          {SqlInt(id), SqlInt(position), SqlInt(kReadBlock)});
      block.clear();
      block.reserve(rows.size());
      for (size_t i = 0; i < rows.size(); ++i) {
        block.push_back(ReadRow(rows, i));
        block.back().text = rows.Text(i, 7);
      }
    });
    for (const SnapshotRow& each : block) row(each);
    if (block.size() < kReadBlock) return;
    position += static_cast<int64_t>(block.size());
  }
}

// --- runs and models -----------------------------------------------------------------------------

int64_t PostgresLabelStore::StartRun(const TrainingRun& run) {
  int64_t id = 0;
  if (!FindSnapshot(run.snapshot_id)) {
    throw Error(ErrorCode::kNotFound, "no snapshot " + std::to_string(run.snapshot_id));
  }
  connection_.TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    SqlArray own;
    for (const int64_t each : own_runs_) own.AddInt(each);
    sql.Execute(
        "UPDATE rebound.training_runs SET status = 'failed', finished_at = now(), "
        "reason = 'the process of this run ended without a result' "
        "WHERE status = 'running' AND id <> ALL ($1::bigint[]) "
        "AND pg_try_advisory_xact_lock($2::int, id::int)",
        {own.Take(), SqlInt(kRunLock)});
    id = sql.Execute(
                "INSERT INTO rebound.training_runs (label_set_id, snapshot_id, seed, status) "
                "VALUES ($1::smallint, $2::bigint, $3::numeric, 'running') RETURNING id",
                {SqlInt(TaskId(run.task)), SqlInt(run.snapshot_id), std::to_string(run.seed)})
             .Int(0, 0);
    sql.Execute("SELECT pg_advisory_lock($1::int, $2::bigint::int)",
                {SqlInt(kRunLock), SqlInt(id)});
  });
  own_runs_.insert(id);
  return id;
}

void PostgresLabelStore::FinishRun(const TrainingRun& run) {
  CheckFinishedRun(run);
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows rows = sql.Execute(
        "UPDATE rebound.training_runs SET status = $2, reason = $3, version = $4::int, "
        "weights_sha256 = $5, scorecard = $6::json, incumbent_scorecard = $7::json, "
        "details = $8::json, finished_at = now() WHERE id = $1::bigint",
        {SqlInt(run.id), run.status, run.reason, SqlInt(run.version), run.weights_sha256,
         JsonOrNull(run.scorecard_json), JsonOrNull(run.incumbent_scorecard_json),
         JsonOrNull(run.details_json)});
    if (rows.affected() == 0) {
      throw Error(ErrorCode::kNotFound, "no training run " + std::to_string(run.id));
    }
    sql.Execute(
        "SELECT pg_advisory_unlock(classid::int, objid::int) FROM pg_locks "
        "WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
        "AND classid = $1::oid AND objid = $2::oid",
        {SqlInt(kRunLock), SqlInt(run.id)});
  });
  own_runs_.erase(run.id);
}

std::vector<TrainingRun> PostgresLabelStore::ReadRuns(size_t limit) {
  std::vector<TrainingRun> runs;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    runs.clear();
    const SqlRows rows = sql.Execute(
        "SELECT r.id, s.task, r.snapshot_id, r.seed, r.status, r.reason, r.version, "
        "r.weights_sha256, r.scorecard, r.incumbent_scorecard, r.details "
        "FROM rebound.training_runs r JOIN rebound.label_sets s ON s.id = r.label_set_id "
        "ORDER BY r.id DESC LIMIT $1::bigint",
        {SqlInt(static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)))});
    for (size_t row = 0; row < rows.size(); ++row) {
      const auto task = ParseTask(rows.Text(row, 1));
      if (!task) continue;  // of a newer program
      TrainingRun run;
      run.id = rows.Int(row, 0);
      run.task = *task;
      run.snapshot_id = rows.Int(row, 2);
      run.seed = ParseSeed(rows.Text(row, 3));
      run.status = rows.Text(row, 4);
      run.reason = rows.Text(row, 5);
      run.version = static_cast<int>(rows.Int(row, 6));
      run.weights_sha256 = rows.Text(row, 7);
      run.scorecard_json = rows.Text(row, 8);
      run.incumbent_scorecard_json = rows.Text(row, 9);
      run.details_json = rows.Text(row, 10);
      runs.push_back(std::move(run));
    }
  });
  return runs;
}

void PostgresLabelStore::RegisterModel(Task task, int version, std::string_view weights_sha256,
                                       int64_t run_id) {
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    if (run_id != 0 &&
        sql.Execute("SELECT 1 FROM rebound.training_runs WHERE id = $1::bigint", {SqlInt(run_id)})
                .size() == 0) {
      throw Error(ErrorCode::kNotFound, "no training run " + std::to_string(run_id));
    }
    sql.Execute(
        "INSERT INTO rebound.models (label_set_id, version, weights_sha256, run_id) "
        "VALUES ($1::smallint, $2::int, $3, $4::bigint) "
        "ON CONFLICT (label_set_id, version) DO NOTHING",
        {SqlInt(TaskId(task)), SqlInt(version), std::string(weights_sha256),
         run_id == 0 ? SqlValue() : SqlInt(run_id)});
    const SqlRows kept = sql.Execute(
        "SELECT weights_sha256 FROM rebound.models WHERE label_set_id = $1::smallint "
        "AND version = $2::int",
        {SqlInt(TaskId(task)), SqlInt(version)});
    if (kept.Text(0, 0) != weights_sha256) {
      throw Error(ErrorCode::kConflict,
                  NameOf(task, version) + " is registered with other weights");
    }
  });
}

int PostgresLabelStore::LastVersion(Task task) {
  int last = 0;
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows rows = sql.Execute(
        "SELECT coalesce(max(version), 0) FROM rebound.models "
        "WHERE label_set_id = $1::smallint",
        {SqlInt(TaskId(task))});
    last = static_cast<int>(rows.Int(0, 0));
  });
  return last;
}

void PostgresLabelStore::RecordPromotion(Task task, int version) {
  connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    // Promoting the current one again is no event: a commit in doubt may be repeated.
    const SqlRows known = sql.Execute(
        "SELECT (SELECT version FROM rebound.promotions p WHERE p.label_set_id = m.label_set_id "
        "ORDER BY id DESC LIMIT 1) FROM rebound.models m "
        "WHERE label_set_id = $1::smallint AND version = $2::int",
        {SqlInt(TaskId(task)), SqlInt(version)});
    if (known.size() == 0) {
      throw Error(ErrorCode::kNotFound, NameOf(task, version) + " is not registered");
    }
    if (!known.IsNull(0, 0) && known.Int(0, 0) == version) return;
    sql.Execute(
        "INSERT INTO rebound.promotions (label_set_id, version, promoted_by) "
        "SELECT label_set_id, version, coalesce('training run ' || run_id, current_user) "
        "FROM rebound.models WHERE label_set_id = $1::smallint AND version = $2::int",
        {SqlInt(TaskId(task)), SqlInt(version)});
  });
}

std::string PostgresLabelStore::StatsJson() {
  StoreStats stats;
  connection_.Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    stats = StoreStats();
    const SqlRows totals = sql.Execute(
        "SELECT count(*), count(*) FILTER (WHERE held_out), count(DISTINCT split_group), "
        "(SELECT count(*) FROM rebound.message_labels), "
        "(SELECT count(*) FROM rebound.vote_history), (SELECT count(*) FROM rebound.snapshots) "
        "FROM rebound.messages");
    stats.messages = totals.Int(0, 0);
    stats.held_out = totals.Int(0, 1);
    stats.groups = totals.Int(0, 2);
    stats.votes = totals.Int(0, 3);
    stats.changed_votes = totals.Int(0, 4);
    stats.snapshots = totals.Int(0, 5);
    const SqlRows origins =
        sql.Execute("SELECT origin, count(*) FROM rebound.message_labels GROUP BY origin");
    for (size_t row = 0; row < origins.size(); ++row) {
      stats.votes_by_origin[std::string(origins.Text(row, 0))] = origins.Int(row, 1);
    }
    for (const Task task : kTasks) stats.labels[Index(task)].resize(TaskLabels(task).size());
    const SqlRows labels =
        sql.Execute("SELECT label_id, count(*) FROM rebound.effective_labels GROUP BY label_id");
    for (size_t row = 0; row < labels.size(); ++row) {
      const auto position = catalog_.positions.find(labels.Int(row, 0));
      if (position == catalog_.positions.end()) continue;  // of a newer program
      const auto& [task, label] = position->second;
      stats.labels[Index(task)][static_cast<size_t>(label)] = labels.Int(row, 1);
    }
    const SqlRows runs =
        sql.Execute("SELECT status, count(*) FROM rebound.training_runs GROUP BY status");
    for (size_t row = 0; row < runs.size(); ++row) {
      stats.runs_by_status[std::string(runs.Text(row, 0))] = runs.Int(row, 1);
    }
    const SqlRows current = sql.Execute(
        "SELECT DISTINCT ON (s.task) s.task, p.version FROM rebound.promotions p "
        "JOIN rebound.label_sets s ON s.id = p.label_set_id ORDER BY s.task, p.id DESC");
    for (size_t row = 0; row < current.size(); ++row) {
      if (const auto task = ParseTask(current.Text(row, 0))) {
        stats.current[Index(*task)] = static_cast<int>(current.Int(row, 1));
      }
    }
  });
  return WriteStats(stats);
}

std::unique_ptr<LabelStore> OpenLabelStore(const std::string& uri) {
  return std::make_unique<PostgresLabelStore>(uri);
}

}  // namespace rebound
