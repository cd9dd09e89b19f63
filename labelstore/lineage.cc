#include "labelstore/lineage.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "labelstore/content.h"
#include "labelstore/import.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

// What names a model.
struct Reference {
  std::optional<Task> task;
  int version = 0;
  std::string hash;  // its beginning
  std::optional<BundleConfig> config;
};

bool IsHash(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Reference OfConfig(BundleConfig config) {
  Reference reference;
  reference.task = config.task;
  reference.version = config.version;
  const auto weights = config.sha256.find("weights.safetensors");
  if (weights != config.sha256.end()) reference.hash = weights->second;
  reference.config = std::move(config);
  return reference;
}

Reference ParseReference(std::string_view text) {
  Reference reference;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    reference.task = ParseTask(text.substr(0, slash));
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), reference.version);
    if (reference.task && error == std::errc() && end == digits.data() + digits.size() &&
        reference.version > 0) {
      return reference;
    }
  }
  const fs::path folder{std::string(text)};
  std::error_code error;
  if (fs::is_directory(folder, error)) {
    return OfConfig(ParseBundleConfig(ReadFile(folder / "config.json")));
  }
  if (IsHash(text)) return {std::nullopt, 0, std::string(text), std::nullopt};
  throw Error(ErrorCode::kInvalidArgument,
              "'" + std::string(text) +
                  "' names no model: give TASK/VERSION, 8 digits or more of its hash, or the "
                  "folder of a bundle");
}

// Finds the version of a hash among the registered ones. False where none has it.
bool FindByHash(SqlTransaction& sql, Reference* reference) {
  const SqlRows rows = sql.Execute(
      "SELECT s.task, m.version FROM rebound.models m JOIN rebound.label_sets s "
      "ON s.id = m.label_set_id WHERE starts_with(m.weights_sha256, $1) ORDER BY s.id, m.version",
      {reference->hash});
  std::vector<std::string> found;
  for (size_t row = 0; row < rows.size(); ++row) {
    found.push_back(std::string(rows.Text(row, 0)) + "/" + std::string(rows.Text(row, 1)));
  }
  if (found.empty()) return false;
  if (found.size() > 1) {
    std::string all;
    for (const std::string& each : found) all += (all.empty() ? "" : ", ") + each;
    throw Error(ErrorCode::kConflict,
                "'" + reference->hash + "' fits several models: " + all + "; name one of them");
  }
  reference->task = ParseTask(rows.Text(0, 0));
  reference->version = static_cast<int>(rows.Int(0, 1));
  return reference->task.has_value();
}

constexpr const char* kTime = "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'";

void ReadRun(SqlTransaction& sql, int64_t id, Lineage* lineage) {
  const SqlRows rows =
      sql.Execute(std::string("SELECT r.id, r.status, r.reason, r.seed, "
                              "to_char(r.started_at AT TIME ZONE 'UTC', ") +
                      kTime + "), coalesce(to_char(r.finished_at AT TIME ZONE 'UTC', " + kTime +
                      "), ''), r.details, s.digest FROM rebound.training_runs r "
                      "JOIN rebound.snapshots s ON s.id = r.snapshot_id WHERE r.id = $1::bigint",
                  {SqlInt(id)});
  if (rows.size() == 0) return;
  lineage->run = {rows.Int(0, 0),
                  std::string(rows.Text(0, 1)),
                  std::string(rows.Text(0, 2)),
                  std::string(rows.Text(0, 4)),
                  std::string(rows.Text(0, 5)),
                  std::string(rows.Text(0, 6))};
  uint64_t seed = 0;
  const std::string_view digits = rows.Text(0, 3);
  std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  lineage->seed = seed;
  lineage->snapshot_digest = rows.Text(0, 7);
}

// config.json of a bundle that the registry holds.
std::optional<BundleConfig> ReadStoredConfig(SqlTransaction& sql, Task task, int version) {
  const SqlRows rows = sql.Execute(
      "SELECT convert_from(f.content, 'UTF8') FROM rebound.bundle_files f "
      "JOIN rebound.label_sets s ON s.id = f.label_set_id "
      "WHERE s.task = $1 AND f.version = $2::int AND f.name = 'config.json'",
      {std::string(TaskName(task)), SqlInt(version)});
  if (rows.size() == 0) return std::nullopt;
  return ParseBundleConfig(rows.Text(0, 0));
}

void WriteStrings(const std::map<std::string, std::string>& strings, JsonWriter& w) {
  w.Object([&](JsonWriter& o) {
    for (const auto& [name, value] : strings) o.Key(name).String(value);
  });
}

void WriteSnapshot(const NamedSnapshot& snapshot, JsonWriter& w) {
  w.Object([&](JsonWriter& o) {
    o.Key("id").Int(snapshot.info.id);
    o.Key("names").Array([&](JsonWriter& names) {
      for (const std::string& name : snapshot.names) names.String(name);
    });
    o.Key("digest").String(snapshot.info.digest);
    o.Key("created_at").String(snapshot.info.created_at);
    o.Key("rows").Int(snapshot.info.rows);
    o.Key("held_out").Int(snapshot.held_out);
    o.Key("rows_by_origin").Object([&](JsonWriter& origins) {
      for (const auto& [name, rows] : snapshot.rows_by_origin) origins.Key(name).Int(rows);
    });
  });
}

// The run's own record where there is one, else what config.json says of the same.
const JsonValue* Detail(const JsonDocument& details, std::string_view key) {
  return details.IsObject() ? FindJson(details, key) : nullptr;
}

JsonDocument ParseDetails(const Lineage& lineage) {
  if (!lineage.run || lineage.run->details_json.empty()) return JsonDocument();
  return ParseJson(lineage.run->details_json);
}

std::string Joined(const JsonValue* strings) {
  std::string joined;
  if (strings == nullptr || !strings->IsObject()) return "not recorded";
  for (const auto& member : strings->GetObject()) {
    joined += (joined.empty() ? "" : ", ") + std::string(JsonText(member.name)) + " " +
              std::string(JsonText(member.value));
  }
  return joined;
}

std::string Joined(const std::map<std::string, std::string>& strings) {
  std::string joined;
  for (const auto& [name, value] : strings)
    joined += (joined.empty() ? "" : ", ") + name + " " + value;
  return joined.empty() ? "not recorded" : joined;
}

std::string SnapshotText(const Lineage& lineage) {
  if (!lineage.snapshot) {
    return lineage.snapshot_digest.empty() ? "not recorded"
                                           : lineage.snapshot_digest + ", not in this store";
  }
  const NamedSnapshot& snapshot = *lineage.snapshot;
  std::string text = std::to_string(snapshot.info.id);
  for (const std::string& name : snapshot.names) text += " '" + name + "'";
  text += " of " + snapshot.info.created_at + ", " + snapshot.info.digest + "\n" +
          std::string(15, ' ') + std::to_string(snapshot.info.rows) + " rows, " +
          std::to_string(snapshot.held_out) + " of them held out";
  for (const auto& [name, rows] : snapshot.rows_by_origin) {
    text += "; " + std::to_string(rows) + " of origin " + name;
  }
  return text;
}

std::string IncumbentText(const JsonDocument& details) {
  const JsonValue* incumbent = Detail(details, "incumbent");
  if (incumbent == nullptr) return "not recorded";
  if (incumbent->IsNull()) return "nothing served";
  return "version " + std::to_string(GetJsonInt(*incumbent, "version")) + " (" +
         std::string(GetJsonString(*incumbent, "weights_sha256").substr(0, 16)) + ")";
}

}  // namespace

Lineage FindLineage(const std::string& uri, std::string_view text) {
  Reference reference = ParseReference(text);
  ModelRegistry registry(uri);
  PostgresConnection connection(uri);
  SnapshotCatalog snapshots(&connection);
  Lineage lineage;
  connection.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    if (!reference.task && !FindByHash(sql, &reference)) {
      throw Error(ErrorCode::kNotFound,
                  "no registered model has a hash that begins with " + reference.hash);
    }
  });
  lineage.task = *reference.task;
  lineage.version = reference.version;
  lineage.config = reference.config;
  lineage.model = registry.Find(lineage.task, lineage.version);
  // A folder of the same number from another store is another model.
  if (lineage.config && lineage.model && lineage.model->weights_sha256 != reference.hash) {
    lineage.model.reset();
  }
  if (!lineage.model && !lineage.config) {
    throw Error(ErrorCode::kNotFound, std::string(text) +
                                          " is not registered in this store: "
                                          "rebound-labels registry list shows "
                                          "those that are");
  }
  connection.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    lineage.run.reset();
    if (!lineage.model) return;
    if (lineage.model->run_id != 0) ReadRun(sql, lineage.model->run_id, &lineage);
    if (!lineage.config) lineage.config = ReadStoredConfig(sql, lineage.task, lineage.version);
  });
  lineage.weights_sha256 = lineage.model ? lineage.model->weights_sha256 : reference.hash;
  if (lineage.config) {
    if (lineage.snapshot_digest.empty()) lineage.snapshot_digest = lineage.config->snapshot_digest;
    if (!lineage.seed) lineage.seed = lineage.config->seed;
  }
  if (lineage.model) {
    for (const Promotion& each : registry.History(lineage.task)) {
      if (each.version == lineage.version) lineage.promotions.push_back(each);
    }
  }
  try {
    if (!lineage.snapshot_digest.empty())
      lineage.snapshot = snapshots.Find(lineage.snapshot_digest);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
  }
  return lineage;
}

void WriteTrainingRows(const std::string& uri, const Lineage& lineage,
                       const std::function<void(std::string_view line)>& write) {
  if (!lineage.snapshot) {
    throw Error(ErrorCode::kNotFound,
                "the snapshot " + lineage.snapshot_digest +
                    " of this model is not in this store: rebound-labels snapshot import brings it "
                    "from the one that has it");
  }
  std::string line;
  OpenLabelStore(uri)->ReadSnapshot(lineage.snapshot->info.id, [&](const SnapshotRow& row) {
    if (row.held_out) return;
    line.clear();
    AppendExportLine(row, &line);
    write(line);
  });
}

std::string WriteLineageJson(const Lineage& lineage) {
  const JsonDocument details = ParseDetails(lineage);
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    const auto detail = [&](const char* key, const auto& otherwise) {
      w.Key(key);
      const JsonValue* found = Detail(details, key);
      found != nullptr ? static_cast<void>(w.Value(*found)) : otherwise();
    };
    const auto none = [&] { w.Null(); };
    w.Key("task").String(TaskName(lineage.task));
    w.Key("version").Int(lineage.version);
    w.Key("hash").String(lineage.weights_sha256.substr(0, 16));
    w.Key("weights_sha256").String(lineage.weights_sha256);
    w.Key("registered_at");
    lineage.model ? w.String(lineage.model->registered_at) : w.Null();
    w.Key("bundle_digest");
    lineage.model && !lineage.model->digest.empty() ? w.String(lineage.model->digest) : w.Null();
    w.Key("promotions").Array([&](JsonWriter& a) {
      for (const Promotion& each : lineage.promotions) {
        a.Object([&](JsonWriter& o) {
          o.Key("at").String(each.at);
          o.Key("by").String(each.by);
          o.Key("reason").String(each.reason);
          o.Key("rollback").Bool(each.rollback);
        });
      }
    });
    w.Key("run");
    if (lineage.run) {
      w.Object([&](JsonWriter& o) {
        o.Key("id").Int(lineage.run->id);
        o.Key("status").String(lineage.run->status);
        o.Key("reason").String(lineage.run->reason);
        o.Key("started_at").String(lineage.run->started_at);
        o.Key("finished_at").String(lineage.run->finished_at);
      });
    } else {
      w.Null();
    }
    w.Key("snapshot_digest");
    lineage.snapshot_digest.empty() ? w.Null() : w.String(lineage.snapshot_digest);
    w.Key("snapshot");
    lineage.snapshot ? WriteSnapshot(*lineage.snapshot, w) : static_cast<void>(w.Null());
    w.Key("seed");
    lineage.seed ? w.Uint(*lineage.seed) : w.Null();
    const BundleConfig* config = lineage.config ? &*lineage.config : nullptr;
    detail("code_version", [&] { config ? w.String(config->code_version) : w.Null(); });
    detail("options", [&] {
      config && !config->training.empty() ? WriteStrings(config->training, w)
                                          : static_cast<void>(w.Null());
    });
    detail("environment",
           [&] { config ? WriteStrings(config->environment, w) : static_cast<void>(w.Null()); });
    detail("tokenizer", [&] {
      if (config == nullptr || !config->sha256.contains("tokenizer.model")) return none();
      w.Object([&](JsonWriter& o) {
        o.Key("sha256").String(config->sha256.at("tokenizer.model"));
        o.Key("origin").Null();
      });
    });
    detail("incumbent", none);
    detail("must_pass", none);
    detail("verdict", none);
  });
  return out;
}

std::string WriteLineageText(const Lineage& lineage) {
  const JsonDocument details = ParseDetails(lineage);
  const BundleConfig* config = lineage.config ? &*lineage.config : nullptr;
  std::string out;
  const auto line = [&](std::string name, const std::string& value) {
    name.resize(15, ' ');
    out += name + value + "\n";
  };
  line("model", std::string(TaskName(lineage.task)) + " version " +
                    std::to_string(lineage.version) + ", hash " +
                    lineage.weights_sha256.substr(0, 16) +
                    (lineage.model ? ", registered " + lineage.model->registered_at
                                   : ", not registered in this store"));
  for (const Promotion& each : lineage.promotions) {
    line(each.rollback ? "rolled back to" : "promoted",
         each.at + (each.by.empty() ? "" : " by " + each.by) +
             (each.reason.empty() ? "" : ": " + each.reason));
  }
  line("run", lineage.run ? std::to_string(lineage.run->id) + ", " + lineage.run->started_at +
                                ", " + lineage.run->status
                          : "not recorded");
  line("snapshot", SnapshotText(lineage));
  line("seed", lineage.seed ? std::to_string(*lineage.seed) : "not recorded");
  const JsonValue* options = Detail(details, "options");
  const JsonValue* environment = Detail(details, "environment");
  line("options", options == nullptr && config ? Joined(config->training) : Joined(options));
  line("environment",
       environment == nullptr && config ? Joined(config->environment) : Joined(environment));
  line("code", config ? "rebound " + config->code_version
                      : (Detail(details, "code_version") != nullptr
                             ? "rebound " + std::string(GetJsonString(details, "code_version"))
                             : "not recorded"));
  const JsonValue* tokenizer = Detail(details, "tokenizer");
  if (tokenizer != nullptr) {
    line("tokenizer", std::string(GetJsonString(*tokenizer, "sha256").substr(0, 16)) + ", " +
                          std::string(GetJsonString(*tokenizer, "origin")));
  } else {
    line("tokenizer", config && config->sha256.contains("tokenizer.model")
                          ? config->sha256.at("tokenizer.model").substr(0, 16)
                          : "not recorded");
  }
  line("compared with", IncumbentText(details));
  line("verdict",
       lineage.run && !lineage.run->reason.empty() ? lineage.run->reason : "not recorded");
  return out;
}

}  // namespace rebound
