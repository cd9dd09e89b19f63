// The file form of a snapshot: SnapshotCatalog::Export and Import.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/content.h"
#include "labelstore/snapshots.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

constexpr size_t kBlock = 5000;
constexpr int64_t kFileFormat = 1;

// A row of a file: what the digest covers, and the text.
struct FileRow {
  std::string digest;  // of the normalised text
  int64_t normaliser_version = 0;
  SnapshotRow row;
};

std::string WriteRow(const FileRow& each) {
  std::string line;
  JsonWriter(&line).Object([&](JsonWriter& w) {
    w.Key("text").String(each.row.text);
    w.Key("digest").String(each.digest);
    w.Key("normaliser_version").Int(each.normaliser_version);
    w.Key("group").String(each.row.group);
    w.Key("held_out").Bool(each.row.held_out);
    w.Key("origin").String(OriginName(each.row.origin));
    for (const Task task : kTasks) {
      const int16_t label = each.row.labels[Index(task)];
      if (label < 0) continue;
      w.Key(TaskKey(task)).String(TaskLabels(task)[static_cast<size_t>(label)]);
    }
  });
  return line + '\n';
}

FileRow ParseRow(const JsonValue& json) {
  FileRow each;
  each.normaliser_version = GetJsonInt(json, "normaliser_version");
  each.row.text = Mask(GetJsonString(json, "text"));
  if (Trim(each.row.text).empty() || each.row.text.find('\0') != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "key 'text' is blank or no text");
  }
  // What the text says beats what the line says of it: then a changed text changes the digest.
  each.digest = each.normaliser_version == kNormaliserVersion
                    ? Sha256Hex(Normalise(each.row.text))
                    : std::string(GetJsonString(json, "digest"));
  if (each.digest.size() != 64 || each.normaliser_version < 1) {
    throw Error(ErrorCode::kInvalidArgument, "key 'digest' is no sha256");
  }
  each.row.group = GetJsonString(json, "group");
  each.row.held_out = GetJsonBool(json, "held_out");
  if (each.row.group.empty() || each.row.held_out != IsHeldOut(each.row.group)) {
    throw Error(ErrorCode::kInvalidArgument,
                "keys 'group' and 'held_out' do not fit: the side is a hash of the group's name");
  }
  const auto origin = ParseOrigin(GetJsonString(json, "origin"));
  if (!origin) throw Error(ErrorCode::kInvalidArgument, "key 'origin' is unknown");
  each.row.origin = *origin;
  bool labelled = false;
  for (const Task task : kTasks) {
    if (FindJson(json, TaskKey(task)) == nullptr) continue;
    const auto label = FindLabel(task, GetJsonString(json, TaskKey(task)));
    if (!label) {
      throw Error(ErrorCode::kInvalidArgument,
                  "key '" + std::string(TaskKey(task)) + "' holds no label of the task");
    }
    each.row.labels[Index(task)] = static_cast<int16_t>(*label);
    labelled = true;
  }
  if (!labelled) throw Error(ErrorCode::kInvalidArgument, "the row has no label");
  return each;
}

struct SnapshotFile {
  std::string digest;  // that the head states
  std::vector<std::string> names;
  std::vector<FileRow> rows;
};

void ParseHead(const JsonValue& head, SnapshotFile* file) {
  if (GetJsonInt(head, "format") != kFileFormat) {
    throw Error(ErrorCode::kInvalidArgument, "key 'format' is not " + std::to_string(kFileFormat));
  }
  file->digest = GetJsonString(head, "digest");
  file->names = GetJsonStrings(head, "names");
}

// Everything between head and end, checked against both.
SnapshotFile ParseFile(std::istream& in) {
  SnapshotFile file;
  Sha256 lines;
  std::optional<std::string> stated;  // sha256 of the lines before the end
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    try {
      if (stated) throw Error(ErrorCode::kInvalidArgument, "a line behind the end");
      const JsonDocument json = ParseJson(line);
      if (const JsonValue* end = FindJson(json, "end")) {
        stated = GetJsonString(*end, "sha256");
        continue;
      }
      lines.Update(line + '\n');
      if (number == 1) {
        ParseHead(GetJson(json, "snapshot"), &file);
      } else {
        file.rows.push_back(ParseRow(json));
      }
    } catch (const Error& error) {
      throw Error(ErrorCode::kInvalidArgument,
                  "line " + std::to_string(number) + ": " + error.what());
    }
  }
  if (!stated) {
    throw Error(ErrorCode::kCorrupt,
                "the file has no end line: it was cut, or rebound-labels snapshot export did not "
                "write it");
  }
  std::stable_sort(file.rows.begin(), file.rows.end(), [](const FileRow& a, const FileRow& b) {
    return std::pair(a.digest, a.normaliser_version) < std::pair(b.digest, b.normaliser_version);
  });
  SnapshotDigest digest;
  for (const FileRow& each : file.rows) digest.Add(each.digest, each.normaliser_version, each.row);
  const std::string found = digest.FinishHex();
  if (found != file.digest) {
    throw Error(ErrorCode::kCorrupt, "the file states the digest " + file.digest +
                                         " and its rows have " + found +
                                         ": it was changed after it was written");
  }
  const std::string found_lines = lines.FinishHex();
  if (found_lines != *stated) {
    throw Error(ErrorCode::kCorrupt, "the file states sha256 " + *stated +
                                         " of its lines and they have " + found_lines +
                                         ": it was changed after it was written");
  }
  return file;
}

// The messages of a block that are not there yet; kConflict where one stands in another group.
void InsertMessages(SqlTransaction& sql, std::span<const FileRow> block) {
  SqlArray texts, digests, versions, groups, sides;
  for (const FileRow& each : block) {
    texts.Add(each.row.text);
    digests.AddHex(each.digest);
    versions.AddInt(each.normaliser_version);
    groups.Add(each.row.group);
    sides.AddBool(each.row.held_out);
  }
  const SqlValue digest_values = digests.Take();
  const SqlValue version_values = versions.Take();
  const SqlValue group_values = groups.Take();
  sql.Execute(
      "INSERT INTO rebound.messages (text, digest, normaliser_version, split_group, held_out) "
      "SELECT * FROM unnest($1::text[], $2::bytea[], $3::int[], $4::text[], $5::boolean[]) "
      "ON CONFLICT (digest, normaliser_version) DO NOTHING",
      {texts.Take(), digest_values, version_values, group_values, sides.Take()});
  const SqlRows other = sql.Execute(
      "SELECT m.text, m.split_group, f.split_group FROM rebound.messages m "
      "JOIN unnest($1::bytea[], $2::int[], $3::text[]) AS f (digest, version, split_group) "
      "ON f.digest = m.digest AND f.version = m.normaliser_version "
      "WHERE m.split_group <> f.split_group LIMIT 1",
      {digest_values, version_values, group_values});
  if (other.size() > 0) {
    throw Error(ErrorCode::kConflict,
                "this store has the text '" + std::string(CutUtf8(other.Text(0, 0), 80)) +
                    "' in group '" + std::string(other.Text(0, 1)) + "' and the file in '" +
                    std::string(other.Text(0, 2)) + "': import it into a database of its own");
  }
}

void InsertRows(SqlTransaction& sql, int64_t id, int64_t first, std::span<const FileRow> block) {
  SqlArray digests, versions, origins;
  std::array<SqlArray, kTaskCount> labels;
  for (const FileRow& each : block) {
    digests.AddHex(each.digest);
    versions.AddInt(each.normaliser_version);
    origins.Add(OriginName(each.row.origin));
    for (const Task task : kTasks) {
      const int16_t label = each.row.labels[Index(task)];
      label < 0 ? labels[Index(task)].AddNull()
                : labels[Index(task)].Add(TaskLabels(task)[static_cast<size_t>(label)]);
    }
  }
  const SqlRows added = sql.Execute(
      "INSERT INTO rebound.snapshot_rows "
      "(snapshot_id, position, message_id, origin, bnac, backoff, action) "
      "SELECT $1::bigint, $2::bigint + f.place, m.id, f.origin::rebound.label_origin, "
      "(SELECT l.id FROM rebound.labels l JOIN rebound.label_sets s ON s.id = l.label_set_id "
      " WHERE s.task = 'bnac' AND l.name = f.bnac), "
      "(SELECT l.id FROM rebound.labels l JOIN rebound.label_sets s ON s.id = l.label_set_id "
      " WHERE s.task = 'backoff' AND l.name = f.backoff), "
      "(SELECT l.id FROM rebound.labels l JOIN rebound.label_sets s ON s.id = l.label_set_id "
      " WHERE s.task = 'action' AND l.name = f.action) "
      "FROM unnest($3::bytea[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[]) "
      "WITH ORDINALITY AS f (digest, version, origin, bnac, backoff, action, place) "
      "JOIN rebound.messages m ON m.digest = f.digest AND m.normaliser_version = f.version",
      {SqlInt(id), SqlInt(first), digests.Take(), versions.Take(), origins.Take(), labels[0].Take(),
       labels[1].Take(), labels[2].Take()});
  if (added.affected() != static_cast<int64_t>(block.size())) {
    throw Error(ErrorCode::kInternal, "not every row of the snapshot found its message");
  }
}

}  // namespace

void SnapshotCatalog::Export(int64_t id, std::ostream& out) {
  const NamedSnapshot snapshot = Find(std::to_string(id));
  Sha256 lines;
  const auto write = [&](const std::string& line) {
    lines.Update(line);
    out << line;
  };
  std::string head;
  JsonWriter(&head).Object([&](JsonWriter& w) {
    w.Key("snapshot").Object([&](JsonWriter& o) {
      o.Key("format").Int(kFileFormat);
      o.Key("digest").String(snapshot.info.digest);
      o.Key("rows").Int(snapshot.info.rows);
      o.Key("names").Array([&](JsonWriter& names) {
        for (const std::string& name : snapshot.names) names.String(name);
      });
      o.Key("created_at").String(snapshot.info.created_at);
    });
  });
  write(head + '\n');
  for (int64_t position = 0;;) {
    std::string block;
    size_t count = 0;
    connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      const SqlRows rows = sql.Execute(
          "SELECT m.text, encode(m.digest, 'hex'), m.normaliser_version, m.split_group, "
          "m.held_out, r.origin, b.name, o.name, a.name FROM rebound.snapshot_rows r "
          "JOIN rebound.messages m ON m.id = r.message_id "
          "LEFT JOIN rebound.labels b ON b.id = r.bnac LEFT JOIN rebound.labels o ON o.id = "
          "r.backoff LEFT JOIN rebound.labels a ON a.id = r.action "
          "WHERE r.snapshot_id = $1::bigint AND r.position > $2::bigint "
          "AND r.position <= $2::bigint + $3::bigint ORDER BY r.position",
          {SqlInt(id), SqlInt(position), SqlInt(kBlock)});
      block.clear();
      count = rows.size();
      for (size_t row = 0; row < rows.size(); ++row) {
        FileRow each;
        each.row.text = rows.Text(row, 0);
        each.digest = rows.Text(row, 1);
        each.normaliser_version = rows.Int(row, 2);
        each.row.group = rows.Text(row, 3);
        each.row.held_out = rows.Bool(row, 4);
        each.row.origin = ParseOrigin(rows.Text(row, 5)).value_or(LabelOrigin::kSeed);
        for (const Task task : kTasks) {
          const auto label = FindLabel(task, rows.Text(row, 6 + Index(task)));
          if (label) each.row.labels[Index(task)] = static_cast<int16_t>(*label);
        }
        block += WriteRow(each);
      }
    });
    write(block);
    if (count < kBlock) break;
    position += static_cast<int64_t>(count);
  }
  std::string end;
  JsonWriter(&end).Object([&](JsonWriter& w) {
    w.Key("end").Object([&](JsonWriter& o) { o.Key("sha256").String(lines.FinishHex()); });
  });
  out << end << '\n';
}

NamedSnapshot SnapshotCatalog::Import(std::istream& in) {
  const SnapshotFile file = ParseFile(in);
  int64_t id = 0;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("SET LOCAL statement_timeout = 0");
    const SqlRows made = sql.Execute(
        "INSERT INTO rebound.snapshots (digest, rows) VALUES ($1, $2::bigint) "
        "ON CONFLICT (digest) DO NOTHING RETURNING id",
        {file.digest, SqlInt(static_cast<int64_t>(file.rows.size()))});
    if (made.size() == 1) {
      id = made.Int(0, 0);
      const std::span<const FileRow> all(file.rows);
      for (size_t first = 0; first < all.size(); first += kBlock) {
        const auto block = all.subspan(first, std::min(kBlock, all.size() - first));
        InsertMessages(sql, block);
        InsertRows(sql, id, static_cast<int64_t>(first), block);
      }
      return;
    }
    id = sql.Execute("SELECT id FROM rebound.snapshots WHERE digest = $1", {file.digest}).Int(0, 0);
  });
  for (const std::string& name : file.names) {
    try {
      Name(id, name);
    } catch (const Error& error) {
      // The name has another meaning here, and keeps it.
      if (error.code() != ErrorCode::kConflict) throw;
    }
  }
  return Find(std::to_string(id));
}

}  // namespace rebound
