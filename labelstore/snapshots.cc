#include "labelstore/snapshots.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "labelstore/content.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

constexpr const char* kSelect =
    "SELECT s.id, s.digest, s.rows, to_char(s.created_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
    "(SELECT coalesce(string_agg(n.name, ' ' ORDER BY n.named_at, n.name), '') "
    " FROM rebound.snapshot_names n WHERE n.snapshot_id = s.id) FROM rebound.snapshots s ";

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() < 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void CheckName(const std::string& name) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto fits = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 100 || !is_letter(name[0]) ||
      !std::all_of(name.begin(), name.end(), fits) || (name.size() >= 8 && IsHex(name))) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + name +
                    "' cannot name a snapshot: a letter, then up to 99 letters, digits, '.', '_' "
                    "or '-', and no name that reads as a digest");
  }
}

NamedSnapshot ReadSnapshot(const SqlRows& rows, size_t row) {
  NamedSnapshot snapshot;
  snapshot.info = {rows.Int(row, 0), std::string(rows.Text(row, 1)), rows.Int(row, 2),
                   std::string(rows.Text(row, 3))};
  std::string_view names = rows.Text(row, 4);
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    snapshot.names.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return snapshot;
}

void CountOrigins(SqlTransaction& sql, NamedSnapshot* snapshot) {
  const SqlRows counts = sql.Execute(
      "SELECT r.origin, count(*), count(*) FILTER (WHERE m.held_out) FROM rebound.snapshot_rows r "
      "JOIN rebound.messages m ON m.id = r.message_id WHERE r.snapshot_id = $1::bigint "
      "GROUP BY r.origin",
      {SqlInt(snapshot->info.id)});
  for (size_t row = 0; row < counts.size(); ++row) {
    snapshot->rows_by_origin[std::string(counts.Text(row, 0))] = counts.Int(row, 1);
    snapshot->held_out += counts.Int(row, 2);
  }
}

SqlRows SelectReferred(SqlTransaction& sql, std::string_view reference) {
  const std::string text(reference);
  if (IsId(reference)) {
    return sql.Execute(std::string(kSelect) + "WHERE s.id = $1::bigint", {text});
  }
  if (reference.size() >= 8 && reference.size() <= 64 && IsHex(reference)) {
    return sql.Execute(std::string(kSelect) + "WHERE starts_with(s.digest, $1) ORDER BY s.id",
                       {text});
  }
  return sql.Execute(
      std::string(kSelect) +
          "WHERE s.id = (SELECT snapshot_id FROM rebound.snapshot_names WHERE name = $1)",
      {text});
}

// --- the difference ------------------------------------------------------------------------------

// Messages of one of the two, or of both, in `pair`.
constexpr const char* kPair =
    "CREATE TEMPORARY TABLE pair ON COMMIT DROP AS "
    "SELECT coalesce(a.message_id, b.message_id) AS message_id, a.message_id IS NOT NULL AS had, "
    "b.message_id IS NOT NULL AS has, "
    "a.origin AS had_origin, a.bnac AS had_bnac, a.backoff AS had_backoff, a.action AS had_action, "
    "b.origin AS has_origin, b.bnac AS has_bnac, b.backoff AS has_backoff, b.action AS has_action "
    "FROM (SELECT * FROM rebound.snapshot_rows WHERE snapshot_id = $1::bigint) a FULL JOIN "
    "(SELECT * FROM rebound.snapshot_rows WHERE snapshot_id = $2::bigint) b "
    "ON a.message_id = b.message_id";

std::string Changed(Task task) {
  const std::string name(TaskName(task));
  return "(had AND has AND had_" + name + " IS DISTINCT FROM has_" + name + ")";
}

std::vector<SnapshotRow> ReadExamples(SqlTransaction& sql, const std::string& side,
                                      const std::string& other, size_t limit) {
  const SqlRows rows = sql.Execute(
      "SELECT m.id, m.text, m.split_group, m.held_out, p." + side +
          "_origin, (SELECT name FROM rebound.labels WHERE id = p." + side +
          "_bnac), (SELECT name FROM rebound.labels WHERE id = p." + side +
          "_backoff), (SELECT name FROM rebound.labels WHERE id = p." + side +
          "_action) FROM pg_temp.pair p JOIN rebound.messages m ON m.id = p.message_id WHERE p." +
          side + " AND NOT p." + other +
          " ORDER BY m.digest, m.normaliser_version LIMIT $1::bigint",
      {SqlInt(static_cast<int64_t>(limit))});
  std::vector<SnapshotRow> examples;
  for (size_t row = 0; row < rows.size(); ++row) {
    SnapshotRow example;
    example.message_id = rows.Int(row, 0);
    example.text = rows.Text(row, 1);
    example.group = rows.Text(row, 2);
    example.held_out = rows.Bool(row, 3);
    example.origin = ParseOrigin(rows.Text(row, 4)).value_or(LabelOrigin::kSeed);
    for (const Task task : kTasks) {
      const auto label = FindLabel(task, rows.Text(row, 5 + Index(task)));
      if (label) example.labels[Index(task)] = static_cast<int16_t>(*label);
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

void ReadRelabellings(SqlTransaction& sql, size_t limit, SnapshotDiff* diff) {
  for (const Task task : kTasks) {
    const std::string name(TaskName(task));
    const SqlRows rows = sql.Execute(
        "SELECT (SELECT name FROM rebound.labels WHERE id = p.had_" + name +
            "), (SELECT name FROM rebound.labels WHERE id = p.has_" + name +
            "), m.text FROM pg_temp.pair p JOIN rebound.messages m ON m.id = p.message_id WHERE " +
            Changed(task) + " ORDER BY m.digest, m.normaliser_version LIMIT $1::bigint",
        {SqlInt(static_cast<int64_t>(limit))});
    for (size_t row = 0; row < rows.size(); ++row) {
      diff->relabelled_examples.push_back({task, std::string(rows.Text(row, 0)),
                                           std::string(rows.Text(row, 1)),
                                           std::string(rows.Text(row, 2))});
    }
  }
}

void WriteInfo(const SnapshotInfo& info, JsonWriter& w) {
  w.Object([&](JsonWriter& o) {
    o.Key("id").Int(info.id);
    o.Key("digest").String(info.digest);
    o.Key("rows").Int(info.rows);
    o.Key("created_at").String(info.created_at);
  });
}

void WriteRows(const std::vector<SnapshotRow>& rows, JsonWriter& w) {
  w.Array([&](JsonWriter& a) {
    for (const SnapshotRow& row : rows) {
      a.Object([&](JsonWriter& o) {
        o.Key("text").String(row.text);
        o.Key("origin").String(OriginName(row.origin));
        for (const Task task : kTasks) {
          const int16_t label = row.labels[Index(task)];
          if (label < 0) continue;
          o.Key(TaskKey(task)).String(TaskLabels(task)[static_cast<size_t>(label)]);
        }
      });
    }
  });
}

}  // namespace

SnapshotCatalog::SnapshotCatalog(PostgresConnection* connection) : connection_(connection) {
  RequireSchema(connection);
}

std::vector<NamedSnapshot> SnapshotCatalog::List() {
  std::vector<NamedSnapshot> snapshots;
  connection_->Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
    snapshots.clear();
    const SqlRows rows = sql.Execute(std::string(kSelect) + "ORDER BY s.id DESC");
    for (size_t row = 0; row < rows.size(); ++row) snapshots.push_back(ReadSnapshot(rows, row));
    for (NamedSnapshot& snapshot : snapshots) CountOrigins(sql, &snapshot);
  });
  return snapshots;
}

std::vector<NamedSnapshot> SnapshotCatalog::Newest(int64_t most) {
  std::vector<NamedSnapshot> snapshots;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    snapshots.clear();
    const SqlRows rows =
        sql.Execute(std::string(kSelect) + "ORDER BY s.id DESC LIMIT $1::bigint", {SqlInt(most)});
    for (size_t row = 0; row < rows.size(); ++row) snapshots.push_back(ReadSnapshot(rows, row));
  });
  return snapshots;
}

NamedSnapshot SnapshotCatalog::Find(std::string_view reference) {
  NamedSnapshot snapshot;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows rows = SelectReferred(sql, reference);
    if (rows.size() == 0) {
      throw Error(ErrorCode::kNotFound, "no snapshot '" + std::string(reference) +
                                            "' in this store: rebound-labels snapshot list shows "
                                            "those that are there");
    }
    if (rows.size() > 1) {
      throw Error(ErrorCode::kConflict, "'" + std::string(reference) + "' begins the digests of " +
                                            std::to_string(rows.size()) +
                                            " snapshots: give more digits");
    }
    snapshot = ReadSnapshot(rows, 0);
    CountOrigins(sql, &snapshot);
  });
  return snapshot;
}

void SnapshotCatalog::Name(int64_t id, const std::string& name) {
  CheckName(name);
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    if (sql.Execute("SELECT 1 FROM rebound.snapshots WHERE id = $1::bigint", {SqlInt(id)}).size() ==
        0) {
      throw Error(ErrorCode::kNotFound, "no snapshot " + std::to_string(id));
    }
    sql.Execute(
        "INSERT INTO rebound.snapshot_names (name, snapshot_id) VALUES ($1, $2::bigint) "
        "ON CONFLICT (name) DO NOTHING",
        {name, SqlInt(id)});
    const int64_t named =
        sql.Execute("SELECT snapshot_id FROM rebound.snapshot_names WHERE name = $1", {name})
            .Int(0, 0);
    if (named != id) {
      throw Error(ErrorCode::kConflict, "'" + name + "' names snapshot " + std::to_string(named) +
                                            " already, and a name never moves: choose another");
    }
  });
}

SnapshotDiff SnapshotCatalog::Diff(int64_t before, int64_t after, size_t examples) {
  SnapshotDiff diff;
  const SnapshotInfo before_info = Find(std::to_string(before)).info;
  const SnapshotInfo after_info = Find(std::to_string(after)).info;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    diff = SnapshotDiff();
    diff.before = before_info;
    diff.after = after_info;
    sql.Execute(kPair, {SqlInt(before), SqlInt(after)});
    std::string any;
    std::string counts;
    for (const Task task : kTasks) {
      any += (any.empty() ? "" : " OR ") + Changed(task);
      counts += ", count(*) FILTER (WHERE " + Changed(task) + ")";
    }
    const SqlRows rows = sql.Execute(
        "SELECT count(*) FILTER (WHERE NOT had), count(*) FILTER (WHERE NOT has), "
        "count(*) FILTER (WHERE " +
        any + "), count(*) FILTER (WHERE had AND has)" + counts + " FROM pg_temp.pair");
    diff.added = rows.Int(0, 0);
    diff.removed = rows.Int(0, 1);
    diff.relabelled = rows.Int(0, 2);
    diff.same = rows.Int(0, 3) - diff.relabelled;
    for (const Task task : kTasks) {
      diff.relabelled_by_task[Index(task)] = rows.Int(0, 4 + Index(task));
    }
    diff.added_examples = ReadExamples(sql, "has", "had", examples);
    diff.removed_examples = ReadExamples(sql, "had", "has", examples);
    ReadRelabellings(sql, examples, &diff);
  });
  return diff;
}

std::string WriteSnapshotDiff(const SnapshotDiff& diff) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("before");
    WriteInfo(diff.before, w);
    w.Key("after");
    WriteInfo(diff.after, w);
    w.Key("added").Int(diff.added);
    w.Key("removed").Int(diff.removed);
    w.Key("same").Int(diff.same);
    w.Key("relabelled").Int(diff.relabelled);
    w.Key("relabelled_by_task").Object([&](JsonWriter& o) {
      for (const Task task : kTasks) {
        o.Key(TaskKey(task)).Int(diff.relabelled_by_task[Index(task)]);
      }
    });
    w.Key("examples").Object([&](JsonWriter& o) {
      o.Key("added");
      WriteRows(diff.added_examples, o);
      o.Key("removed");
      WriteRows(diff.removed_examples, o);
      o.Key("relabelled").Array([&](JsonWriter& a) {
        for (const Relabelling& each : diff.relabelled_examples) {
          a.Object([&](JsonWriter& one) {
            one.Key("task").String(TaskName(each.task));
            one.Key("from");
            each.from.empty() ? one.Null() : one.String(each.from);
            one.Key("to");
            each.to.empty() ? one.Null() : one.String(each.to);
            one.Key("text").String(each.text);
          });
        }
      });
    });
  });
  return out;
}

}  // namespace rebound
