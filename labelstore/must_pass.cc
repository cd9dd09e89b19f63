#include "labelstore/must_pass.h"

#include <algorithm>
#include <cstdio>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/schema.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

std::string LabelOf(const MustPass& entry) {
  return std::string(TaskLabels(entry.task)[entry.label]);
}

std::string Wish(const MustPass& entry) {
  return std::string(entry.must ? "must get " : "must never get ") + LabelOf(entry);
}

[[noreturn]] void Refuse(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "must-pass: " + what);
}

// As it is stored.
MustPass Prepared(const MustPass& entry) {
  MustPass stored = entry;
  if (entry.label >= TaskLabels(entry.task).size()) Refuse("the label is out of range");
  std::string text = RepairUtf8(entry.text);
  std::replace(text.begin(), text.end(), '\0', ' ');
  stored.text = Mask(CutUtf8(Trim(text), kMaxTextBytes));
  if (Normalise(stored.text).empty()) Refuse("the text is blank");
  if (Trim(entry.added_by).empty()) Refuse("say who adds it");
  if (Trim(entry.reason).empty()) Refuse("say why it matters");
  return stored;
}

// The entry of this text and label that is in force: its id and whether the label is a must.
SqlRows SelectSame(SqlTransaction& sql, const MustPass& entry, const std::string& digest) {
  return sql.Execute(
      "SELECT p.id, p.must FROM rebound.must_pass p JOIN rebound.label_sets s ON s.id = "
      "p.label_set_id JOIN rebound.labels l ON l.id = p.label_id WHERE s.task = $1 AND l.name = $2 "
      "AND p.digest = decode($3, 'hex') AND p.normaliser_version = $4::int "
      "AND p.removed_at IS NULL",
      {std::string(TaskName(entry.task)), LabelOf(entry), digest, SqlInt(kNormaliserVersion)});
}

void RefuseSecondLabel(SqlTransaction& sql, const MustPass& entry, const std::string& digest) {
  if (!entry.must) return;
  const SqlRows other = sql.Execute(
      "SELECT p.id, l.name FROM rebound.must_pass p JOIN rebound.label_sets s ON s.id = "
      "p.label_set_id JOIN rebound.labels l ON l.id = p.label_id WHERE s.task = $1 AND p.must "
      "AND p.digest = decode($2, 'hex') AND p.normaliser_version = $3::int "
      "AND p.removed_at IS NULL",
      {std::string(TaskName(entry.task)), digest, SqlInt(kNormaliserVersion)});
  if (other.size() == 0) return;
  throw Error(ErrorCode::kConflict,
              "must-pass " + std::to_string(other.Int(0, 0)) + " says that this text must get " +
                  std::string(other.Text(0, 1)) +
                  ": remove that one first (rebound-labels must-pass remove)");
}

// Returns its id, and whether it is new.
std::pair<int64_t, bool> AddOne(SqlTransaction& sql, const MustPass& entry) {
  const MustPass stored = Prepared(entry);
  const std::string digest = Sha256Hex(Normalise(stored.text));
  const SqlRows same = SelectSame(sql, stored, digest);
  if (same.size() == 1) {
    if (same.Bool(0, 1) == stored.must) return {same.Int(0, 0), false};
    MustPass other = stored;
    other.must = !stored.must;
    throw Error(ErrorCode::kConflict, "must-pass " + std::to_string(same.Int(0, 0)) +
                                          " says that this text " + Wish(other) +
                                          ": remove that one first (rebound-labels must-pass "
                                          "remove)");
  }
  RefuseSecondLabel(sql, stored, digest);
  const SqlRows made = sql.Execute(
      "INSERT INTO rebound.must_pass (label_set_id, label_id, must, text, digest, "
      "normaliser_version, added_by, reason) "
      "SELECT s.id, l.id, $3::boolean, $4, decode($5, 'hex'), $6::int, $7, $8 "
      "FROM rebound.label_sets s JOIN rebound.labels l ON l.label_set_id = s.id "
      "WHERE s.task = $1 AND l.name = $2 RETURNING id",
      {std::string(TaskName(stored.task)), LabelOf(stored), stored.must ? "t" : "f", stored.text,
       digest, SqlInt(kNormaliserVersion), std::string(Trim(stored.added_by)),
       std::string(Trim(stored.reason))});
  return {made.Int(0, 0), true};
}

// The entry's task and label from the names of a line.
void ReadWish(const JsonValue& json, MustPass* entry) {
  const auto task = ParseTask(GetJsonString(json, "task"));
  if (!task) Refuse("key 'task' is none of bnac, backoff, action");
  entry->task = *task;
  const bool never = FindJson(json, "never") != nullptr;
  if (never == (FindJson(json, "must") != nullptr)) Refuse("give one of 'must' and 'never'");
  entry->must = !never;
  const std::string_view name = GetJsonString(json, never ? "never" : "must");
  const auto label = FindLabel(*task, name);
  if (!label) {
    Refuse("task " + std::string(TaskName(*task)) + " has no label '" + std::string(name) + "'");
  }
  entry->label = *label;
}

}  // namespace

MustPassList::MustPassList(PostgresConnection* connection) : connection_(connection) {
  RequireSchema(connection);
}

int64_t MustPassList::Add(const MustPass& entry) {
  int64_t id = 0;
  connection_->Transact(SqlIsolation::kReadCommitted,
                        [&](SqlTransaction& sql) { id = AddOne(sql, entry).first; });
  return id;
}

size_t MustPassList::AddAll(const std::vector<MustPass>& entries) {
  size_t added = 0;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    added = 0;
    for (const MustPass& entry : entries) added += AddOne(sql, entry).second ? 1 : 0;
  });
  return added;
}

void MustPassList::Remove(int64_t id, const std::string& who) {
  if (Trim(who).empty()) Refuse("say who removes it");
  connection_->TransactOnce(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows done = sql.Execute(
        "UPDATE rebound.must_pass SET removed_by = $2, removed_at = now() "
        "WHERE id = $1::bigint AND removed_at IS NULL",
        {SqlInt(id), std::string(Trim(who))});
    if (done.affected() == 0) {
      throw Error(ErrorCode::kNotFound, "no must-pass " + std::to_string(id) +
                                            " is in force (rebound-labels must-pass list)");
    }
  });
}

std::vector<MustPass> MustPassList::Read() {
  std::vector<MustPass> entries;
  connection_->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    entries.clear();
    const SqlRows rows = sql.Execute(
        "SELECT p.id, s.task, l.name, p.must, p.text, p.added_by, p.reason, "
        "to_char(p.added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
        "FROM rebound.must_pass p JOIN rebound.label_sets s ON s.id = p.label_set_id "
        "JOIN rebound.labels l ON l.id = p.label_id WHERE p.removed_at IS NULL ORDER BY p.id");
    for (size_t row = 0; row < rows.size(); ++row) {
      const auto task = ParseTask(rows.Text(row, 1));
      const auto label = task ? FindLabel(*task, rows.Text(row, 2)) : std::nullopt;
      if (!label) {
        throw Error(ErrorCode::kNotFound,
                    "must-pass " + std::to_string(rows.Int(row, 0)) +
                        " names a label that this program does not know: use the newer one");
      }
      entries.push_back({rows.Int(row, 0), *task, *label, rows.Bool(row, 3),
                         std::string(rows.Text(row, 4)), std::string(rows.Text(row, 5)),
                         std::string(rows.Text(row, 6)), std::string(rows.Text(row, 7))});
    }
  });
  return entries;
}

std::vector<MustPassResult> CheckMustPass(const Classifier& classifier,
                                          const std::vector<MustPass>& entries) {
  std::vector<MustPassResult> results;
  Classifier::Scratch scratch;
  for (const MustPass& entry : entries) {
    if (entry.task != classifier.config().task) continue;
    const Prediction prediction = classifier.ClassifyText(entry.text, &scratch);
    MustPassResult result;
    result.entry = entry;
    result.answer = classifier.config().labels[prediction.label];
    result.probability = prediction.probability;
    result.passed = (result.answer == LabelOf(entry)) == entry.must;
    results.push_back(std::move(result));
  }
  return results;
}

std::string Describe(const MustPassResult& result) {
  char probability[32];
  std::snprintf(probability, sizeof probability, "%.4f", static_cast<double>(result.probability));
  const std::string_view text = CutUtf8(result.entry.text, 120);
  return "must-pass " + std::to_string(result.entry.id) + " " + Wish(result.entry) + " and gets " +
         result.answer + " (" + probability + "): '" + std::string(text) +
         (text.size() < result.entry.text.size() ? "...', said " : "', said ") +
         result.entry.added_by + ": " + result.entry.reason;
}

std::vector<MustPass> ParseMustPass(std::string_view jsonl, const std::string& who) {
  std::vector<MustPass> entries;
  int64_t number = 0;
  for (const std::string_view line : Split(jsonl, '\n')) {
    ++number;
    if (Trim(line).empty()) continue;
    try {
      const JsonDocument json = ParseJson(line);
      MustPass entry;
      ReadWish(json, &entry);
      entry.text = GetJsonString(json, "text");
      entry.reason = GetJsonString(json, "reason");
      entry.added_by =
          FindJson(json, "by") != nullptr ? std::string(GetJsonString(json, "by")) : who;
      entries.push_back(Prepared(entry));
    } catch (const Error& error) {
      throw Error(ErrorCode::kInvalidArgument,
                  "line " + std::to_string(number) + ": " + error.what());
    }
  }
  return entries;
}

std::string WriteMustPass(const MustPass& entry) {
  std::string line;
  JsonWriter(&line).Object([&](JsonWriter& w) {
    w.Key("id").Int(entry.id);
    w.Key("task").String(TaskName(entry.task));
    w.Key(entry.must ? "must" : "never").String(LabelOf(entry));
    w.Key("text").String(entry.text);
    w.Key("by").String(entry.added_by);
    w.Key("reason").String(entry.reason);
    w.Key("at").String(entry.added_at);
  });
  return line + '\n';
}

}  // namespace rebound
