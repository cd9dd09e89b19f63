#include "labelstore/retention.h"

#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "labelstore/clusters.h"
#include "labelstore/proposal_writer.h"
#include "labelstore/review_writer.h"

namespace rebound {
namespace {

constexpr int64_t kBlock = 2000;  // proposals of one transaction, while contributions wait

constexpr const char* kDoomed =
    "status IN ('rejected', 'skipped', 'quarantined') AND "
    "greatest(changed_at, decided_at) < now() - make_interval(days => $1::int)";
// The deliveries' own age is never less than kDeliveryDays.
constexpr const char* kOldDelivery =
    "FROM rebound.deliveries WHERE received_at < "
    "now() - make_interval(days => greatest($1::int, $2::int))";
constexpr const char* kOldKey =
    "FROM rebound.idempotency_keys WHERE created_at < now() - make_interval(days => $1::int)";
constexpr const char* kOldRun =
    "FROM rebound.training_runs r WHERE status = 'failed' "
    "AND finished_at < now() - make_interval(days => $1::int) "
    "AND NOT EXISTS (SELECT 1 FROM rebound.models m WHERE m.run_id = r.id)";

SqlValue Column(const SqlRows& rows, size_t column) {
  SqlArray ids;
  for (size_t row = 0; row < rows.size(); ++row) ids.AddInt(rows.Int(row, column));
  return ids.Take();
}

// No proposal comes while this transaction is open.
void Lock(SqlTransaction& sql, const std::string& by) {
  SetActor(sql, by);
  sql.Execute("SELECT pg_advisory_xact_lock($1::bigint)", {SqlInt(kRetentionLock)});
}

// Of these texts those that no proposal speaks of any more, and what follows for their clusters.
void RemoveTexts(SqlTransaction& sql, const SqlValue& texts, int64_t* removed, int64_t* clusters) {
  const SqlRows gone = sql.Execute(
      "DELETE FROM rebound.contributed_texts t WHERE id = ANY ($1::bigint[]) AND NOT EXISTS "
      "(SELECT 1 FROM rebound.proposals p WHERE p.text_id = t.id) RETURNING cluster_id",
      {texts});
  *removed = static_cast<int64_t>(gone.size());
  const SqlValue touched = Column(gone, 0);
  *clusters = sql.Execute(
                     "DELETE FROM rebound.clusters c WHERE id = ANY ($1::bigint[]) AND NOT EXISTS "
                     "(SELECT 1 FROM rebound.contributed_texts t WHERE t.cluster_id = c.id)",
                     {touched})
                  .affected();
  LeadAnew(sql, touched);
}

Retention CountOld(SqlTransaction& sql, const RetentionRules& rules) {
  const std::vector<SqlValue> days = {SqlInt(rules.days)};
  const auto count = [&](const std::string& from, const std::vector<SqlValue>& values) {
    return sql.Execute("SELECT count(*) " + from, values).Int(0, 0);
  };
  Retention old;
  old.deliveries = count(kOldDelivery, {SqlInt(rules.days), SqlInt(kDeliveryDays)});
  old.idempotency_keys = count(kOldKey, days);
  old.runs = count(kOldRun, days);
  const SqlRows rows = sql.Execute(
      "WITH doomed AS MATERIALIZED (SELECT id, text_id FROM rebound.proposals WHERE " +
          std::string(kDoomed) +
          "), texts AS MATERIALIZED (SELECT t.id, t.cluster_id FROM rebound.contributed_texts t "
          "  WHERE t.id IN (SELECT text_id FROM doomed) AND NOT EXISTS (SELECT 1 "
          "  FROM rebound.proposals p WHERE p.text_id = t.id AND p.id NOT IN "
          "  (SELECT id FROM doomed))) "
          "SELECT (SELECT count(*) FROM doomed), (SELECT count(*) FROM texts), "
          "(SELECT count(DISTINCT cluster_id) FROM texts d WHERE NOT EXISTS (SELECT 1 "
          "  FROM rebound.contributed_texts t WHERE t.cluster_id = d.cluster_id "
          "  AND t.id NOT IN (SELECT id FROM texts)))",
      days);
  old.proposals = rows.Int(0, 0);
  old.texts = rows.Int(0, 1);
  old.clusters = rows.Int(0, 2);
  return old;
}

// One block of old proposals.
Retention RemoveProposals(SqlTransaction& sql, const RetentionRules& rules) {
  Lock(sql, rules.by);
  Retention removed;
  const SqlRows gone = sql.Execute(
      "DELETE FROM rebound.proposals WHERE id IN (SELECT id FROM rebound.proposals WHERE " +
          std::string(kDoomed) + " ORDER BY id LIMIT $2::bigint) RETURNING text_id",
      {SqlInt(rules.days), SqlInt(kBlock)});
  removed.proposals = static_cast<int64_t>(gone.size());
  RemoveTexts(sql, Column(gone, 0), &removed.texts, &removed.clusters);
  return removed;
}

// Returns how many rows `block` is.
int64_t Add(const Retention& block, Retention* all) {
  int64_t rows = 0;
  for (const auto count :
       {&Retention::proposals, &Retention::texts, &Retention::clusters, &Retention::deliveries,
        &Retention::idempotency_keys, &Retention::runs}) {
    all->*count += block.*count;
    rows += block.*count;
  }
  return rows;
}

int64_t RemoveBlock(SqlTransaction& sql, const std::string& table, const std::string& from,
                    std::vector<SqlValue> values) {
  values.push_back(SqlInt(kBlock * 10));
  return sql
      .Execute("DELETE FROM rebound." + table + " WHERE ctid = ANY (ARRAY(SELECT ctid " + from +
                   " LIMIT $" + std::to_string(values.size()) + "::bigint))",
               values)
      .affected();
}

// Block after block, each in a transaction, until one removes nothing.
void RemoveAll(PostgresConnection* connection,
               const std::function<Retention(SqlTransaction&)>& block,
               const std::function<int64_t(const Retention&)>& add) {
  Retention last;
  do {
    connection->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      sql.Execute("SET LOCAL statement_timeout = 0");
      last = block(sql);
    });
  } while (add(last) > 0);
}

// The messages of texts ($1) or with a vote of $2, whatever else they have.
constexpr const char* kTouchedMessages =
    "SELECT m.id FROM rebound.messages m JOIN rebound.contributed_texts t ON t.digest = m.digest "
    "AND t.normaliser_version = m.normaliser_version WHERE t.id = ANY ($1::bigint[]) "
    "UNION SELECT message_id FROM rebound.message_labels WHERE contributor = $2";

Erasure Erase(SqlTransaction& sql, const std::string& contributor, const std::string& by) {
  Erasure erased;
  Lock(sql, by);
  const std::vector<SqlValue> name = {contributor};
  const SqlValue texts = Column(
      sql.Execute("SELECT DISTINCT text_id FROM rebound.proposals WHERE contributor = $1", name),
      0);
  const SqlValue messages = Column(sql.Execute(kTouchedMessages, {texts, contributor}), 0);
  erased.proposals =
      sql.Execute("DELETE FROM rebound.proposals WHERE contributor = $1", name).affected();
  erased.votes = WithdrawVotes(sql, texts) +
                 sql.Execute(
                        "DELETE FROM rebound.message_labels WHERE contributor = $1 "
                        "AND origin <> 'review'",
                        name)
                     .affected();
  int64_t clusters = 0;
  RemoveTexts(sql, texts, &erased.texts, &clusters);
  const SqlValue bare = Column(
      sql.Execute("SELECT m FROM unnest($1::bigint[]) AS touched (m) WHERE NOT EXISTS (SELECT 1 "
                  "FROM rebound.message_labels v WHERE v.message_id = m)",
                  {messages}),
      0);
  sql.Execute("DELETE FROM rebound.suspicions WHERE message_id = ANY ($1::bigint[])", {bare});
  erased.frozen = sql.Execute(
                         "SELECT count(*) FROM unnest($1::bigint[]) AS bare (m) WHERE EXISTS "
                         "(SELECT 1 FROM rebound.snapshot_rows r WHERE r.message_id = m)",
                         {bare})
                      .Int(0, 0);
  sql.Execute("SET LOCAL rebound.erasure = 'on'");
  erased.messages = sql.Execute(
                           "DELETE FROM rebound.messages m WHERE id = ANY ($1::bigint[]) AND NOT "
                           "EXISTS (SELECT 1 FROM rebound.snapshot_rows r WHERE r.message_id = "
                           "m.id)",
                           {bare})
                        .affected();
  sql.Execute("SET LOCAL rebound.erasure = 'off'");
  sql.Execute("DELETE FROM rebound.idempotency_keys WHERE contributor = $1", name);
  return erased;
}

void WriteErasure(SqlTransaction& sql, const std::string& contributor, const std::string& by,
                  const Erasure& erased) {
  std::string after;
  JsonWriter(&after).Object([&](JsonWriter& w) {
    w.Key("erased_proposals").Int(erased.proposals).Key("erased_votes").Int(erased.votes);
    w.Key("erased_messages").Int(erased.messages).Key("frozen").Int(erased.frozen);
  });
  sql.Execute(
      "INSERT INTO rebound.audit (actor, db_role, entity, entity_id, action, after) "
      "VALUES ($1, session_user, 'contributors', $2, 'delete', $3::jsonb)",
      {by, contributor, after});
}

}  // namespace

Retention RetainStore(PostgresConnection* connection, const RetentionRules& rules) {
  if (rules.days < 1) throw Error(ErrorCode::kInvalidArgument, "keep at least one day");
  Retention removed;
  if (rules.dry_run) {
    connection->Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
      sql.Execute("SET LOCAL statement_timeout = 0");
      removed = CountOld(sql, rules);
    });
    return removed;
  }
  int64_t done = 0;
  const auto add = [&](const Retention& block) {
    const int64_t rows = Add(block, &removed);
    done += rows;
    if (rules.on_progress && rows > 0) rules.on_progress(done);
    return rows;
  };
  RemoveAll(
      connection, [&](SqlTransaction& sql) { return RemoveProposals(sql, rules); }, add);
  const auto remove = [&](const std::string& table, const std::string& from,
                          const std::vector<SqlValue>& values, int64_t Retention::*count) {
    const auto block = [&](SqlTransaction& sql) {
      Retention gone;
      gone.*count = RemoveBlock(sql, table, from, values);
      return gone;
    };
    RemoveAll(connection, block, add);
  };
  remove("deliveries", kOldDelivery, {SqlInt(rules.days), SqlInt(kDeliveryDays)},
         &Retention::deliveries);
  remove("idempotency_keys", kOldKey, {SqlInt(rules.days)}, &Retention::idempotency_keys);
  remove("training_runs", kOldRun, {SqlInt(rules.days)}, &Retention::runs);
  return removed;
}

Erasure EraseContributor(PostgresConnection* connection, const std::string& contributor,
                         const std::string& by, bool dry_run) {
  Erasure erased;
  connection->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("SET LOCAL statement_timeout = 0");
    const bool is_known =
        sql.Execute(
               "SELECT EXISTS (SELECT 1 FROM rebound.contributors WHERE name = $1) OR EXISTS "
               "(SELECT 1 FROM rebound.message_labels WHERE contributor = $1)",
               {contributor})
            .Bool(0, 0);
    if (!is_known) {
      throw Error(ErrorCode::kNotFound, "the store knows no contributor '" + contributor +
                                            "': rebound-labels review contributors lists them");
    }
    sql.Execute("SAVEPOINT before_erasure");
    erased = Erase(sql, contributor, by);
    if (dry_run) {
      sql.Execute("ROLLBACK TO SAVEPOINT before_erasure");
    } else {
      WriteErasure(sql, contributor, by, erased);
    }
  });
  return erased;
}

}  // namespace rebound
