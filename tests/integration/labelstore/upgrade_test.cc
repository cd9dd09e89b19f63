// A store of every earlier version, with rows in each of its tables, comes up to the newest with
// all of them, and works.
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "base/file.h"
#include "contributions.h"
#include "errors.h"
#include "labelstore/backup.h"
#include "labelstore/label_store.h"
#include "labelstore/model_registry.h"
#include "labelstore/reviews.h"
#include "labelstore/schema.h"
#include "labelstore/snapshots.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

// What a store of version i + 1 has and the one before had not. A new migration adds its rows here.
constexpr std::array kRows = {
    R"sql(
INSERT INTO rebound.messages (text, digest, normaliser_version, split_group, held_out)
  SELECT '550 no ' || i, sha256(i::text::bytea), 2, 'g' || i, i % 5 = 0
  FROM generate_series(1, 20) i;
INSERT INTO rebound.message_labels (message_id, label_set_id, contributor, label_id, origin)
  SELECT i, 1, 'seed', 1 + i % 18, 'seed' FROM generate_series(1, 20) i;
INSERT INTO rebound.message_labels (message_id, label_set_id, contributor, label_id, origin)
  SELECT i, 1, 'alice', 2, 'contribution' FROM generate_series(1, 5) i;
UPDATE rebound.message_labels SET label_id = 2, origin = 'review' WHERE message_id = 7;
DELETE FROM rebound.message_labels WHERE message_id = 5 AND contributor = 'alice';
INSERT INTO rebound.snapshots (digest, rows) VALUES (repeat('ab', 32), 2);
INSERT INTO rebound.snapshot_rows (snapshot_id, position, message_id, origin, bnac)
  VALUES (1, 1, 7, 'review', 2), (1, 2, 8, 'seed', 9);
INSERT INTO rebound.training_runs (label_set_id, snapshot_id, seed, status, version, scorecard)
  VALUES (1, 1, 18446744073709551615, 'promoted', 1, '{"accuracy": 0.9}'),
         (1, 1, 5, 'failed', 0, NULL);
INSERT INTO rebound.models (label_set_id, version, weights_sha256, run_id)
  VALUES (1, 1, repeat('cd', 32), 1), (1, 2, repeat('ef', 32), NULL);
INSERT INTO rebound.promotions (label_set_id, version) VALUES (1, 1), (1, 2);
)sql",
    R"sql(
INSERT INTO rebound.contributors (name, agreed, disagreed, held_reason, held_at)
  VALUES ('key-old', 3, 1, NULL, NULL), ('key-held', 0, 30, 'mistrust', now());
INSERT INTO rebound.clusters (text, normaliser_version, volume) VALUES ('550 old one', 2, 4);
INSERT INTO rebound.cluster_bands (hash, cluster_id) VALUES (17, 1), (-17, 1);
INSERT INTO rebound.contributed_texts (text, digest, normaliser_version, split_group, cluster_id)
  VALUES ('550 old one', sha256('550 old one'), 2, 'g1', 1),
         ('550 old two', sha256('550 old two'), 2, 'g2', 1);
INSERT INTO rebound.proposals (text_id, contributor, comment, status, decided_at)
  VALUES (1, 'key-old', 'why', 'pending', NULL), (2, 'key-old', '', 'approved', now()),
         (1, 'key-held', '', 'quarantined', NULL);
INSERT INTO rebound.proposal_labels (proposal_id, label_set_id, label_id, model_label_id,
    model_probability, model_version, decided_label_id)
  VALUES (1, 3, 56, 57, 0.75, 2, NULL), (2, 3, 56, NULL, NULL, NULL, 56),
         (3, 3, 57, NULL, NULL, NULL, NULL);
INSERT INTO rebound.deliveries (delivery_id, proposal_id, outcome)
  VALUES ('5c1e2a34-0000-4000-8000-000000000001', 1, 'inserted');
INSERT INTO rebound.idempotency_keys (contributor, key, request_sha256, answer)
  VALUES ('key-old', 'k', repeat('0', 64), '[[1,0,0]]');
INSERT INTO rebound.reviews (proposal_id, reviewer, decision, batch_id, notes)
  VALUES (2, 'rita', 'accept', nextval('rebound.review_batches'), 'sure');
INSERT INTO rebound.review_labels (review_id, label_set_id, label_id) VALUES (1, 3, 56);
INSERT INTO rebound.quarantine_hits (contributor, rule, detail, proposals)
  VALUES ('key-held', 'mistrust', '30 of 30', 1);
INSERT INTO rebound.suspicions (message_id, label_set_id, given_label_id, likely_label_id, score)
  VALUES (7, 1, 2, 3, 0.5);
)sql",
    R"sql(
INSERT INTO rebound.snapshot_names (name, snapshot_id) VALUES ('the-old-one', 1);
UPDATE rebound.training_runs SET details = '{"seed": 5}' WHERE id = 2;
INSERT INTO rebound.must_pass (label_set_id, label_id, must, text, digest, normaliser_version,
    added_by, reason)
  VALUES (3, 57, false, '550 listed', sha256('550 listed'), 2, 'anna', 'ticket 81');
INSERT INTO rebound.bundles (label_set_id, version, digest, bytes)
  VALUES (1, 1, repeat('12', 32), 3);
INSERT INTO rebound.bundle_files (label_set_id, version, name, sha256, content)
  VALUES (1, 1, 'config.json', encode(sha256('abc'), 'hex'), 'abc');
)sql",
    "",
};

// By table: the columns that it had, as one expression.
using Tables = std::map<std::string, std::string>;

Tables TablesOf(const std::string& uri) {
  Tables tables;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    const SqlRows rows = sql.Execute(
        "SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped WHERE c.relnamespace = 'rebound'::regnamespace "
        "AND c.relkind IN ('r', 'v') AND c.relname <> 'schema_migrations' GROUP BY 1");
    for (size_t row = 0; row < rows.size(); ++row) {
      tables[std::string(rows.Text(row, 0))] = rows.Text(row, 1);
    }
  });
  return tables;
}

std::map<std::string, std::string> RowsOf(const std::string& uri, const Tables& tables) {
  std::map<std::string, std::string> rows;
  for (const auto& [name, columns] : tables) {
    rows[name] =
        Column(uri, "SELECT ROW(" + columns + ")::text FROM rebound." + name + " ORDER BY 1");
  }
  return rows;
}

// A proposal, its review, the snapshot that holds it, a model and its promotion.
void Works(const std::string& uri) {
  const auto made = OpenProposalStore(uri)->Propose({Proposes("550 of today", "user_unknown")});
  ASSERT_EQ(made.items.at(0).outcome, ProposeOutcome::kInserted);
  ReviewRequest request;
  request.proposals = {made.items[0].id};
  request.reviewer = "rita";
  request.decision = ReviewDecision::kAccept;
  const auto desk = OpenReviewDesk(uri);
  EXPECT_EQ(desk->Decide(request).proposals.at(0).status, ProposalStatus::kApproved);
  EXPECT_FALSE(desk->History(made.items[0].id).empty());
  const auto labels = OpenLabelStore(uri);
  const SnapshotInfo snapshot = labels->MakeSnapshot();
  bool is_trained = false;
  labels->ReadSnapshot(snapshot.id, [&](const SnapshotRow& row) {
    is_trained = is_trained || row.text == "550 of today";
  });
  EXPECT_TRUE(is_trained);
  PostgresConnection connection(uri);
  SnapshotCatalog(&connection).Name(snapshot.id, "of-today");
  TrainingRun run;
  run.snapshot_id = snapshot.id;
  run.id = labels->StartRun(run);
  run.status = "promoted";
  labels->FinishRun(run);
  labels->RegisterModel(Task::kBnac, 3, "ab", run.id);
  ModelRegistry registry(uri);
  EXPECT_TRUE(registry.Promote(Task::kBnac, 3, "anna", "better"));
  EXPECT_EQ(registry.Rollback(Task::kBnac, "anna", "as before"), 2);
}

class Upgrade : public testing::TestWithParam<size_t> {
 protected:
  // A store of this version, with rows in every table.
  void Make(size_t version) {
    ASSERT_EQ(kRows.size(), Migrations().size());
    MigrateSchema(&connection_, Migrations().first(version));
    for (size_t i = 0; i < version; ++i) {
      connection_.Transact(SqlIsolation::kReadCommitted,
                           [&](SqlTransaction& sql) { sql.ExecuteScript(kRows[i]); });
    }
    tables_ = TablesOf(uri_);
    rows_ = RowsOf(uri_, tables_);
    for (const auto& [name, rows] : rows_) EXPECT_NE(rows, "") << name << " has no row to keep";
  }
  void ExpectAllRows(const std::string& uri) {
    const auto rows = RowsOf(uri, tables_);
    for (const auto& [name, before] : rows_) EXPECT_EQ(rows.at(name), before) << name;
  }

  const std::string uri_ = test::SharedCluster().NewDatabase();
  PostgresConnection connection_{uri_};
  Tables tables_;
  std::map<std::string, std::string> rows_;
};

TEST_P(Upgrade, KeepsEveryRowAndWorks) {
  Make(GetParam());
  EXPECT_EQ(MigrateSchema(&connection_).size(), Migrations().size() - GetParam());
  ExpectAllRows(uri_);
  EXPECT_TRUE(MigrateSchema(&connection_).empty()) << "twice is nothing";
  ExpectAllRows(uri_);
  Works(uri_);
}

INSTANTIATE_TEST_SUITE_P(FromVersion, Upgrade, testing::Range(size_t{1}, Migrations().size() + 1),
                         testing::PrintToStringParamName());

using Failing = Upgrade;

// Every statement of the newest migration has run when it fails.
TEST_P(Failing, AnUpgradeThatBreaksLeavesTheOldVersionWhole) {
  const size_t version = GetParam();
  Make(version);
  std::vector<Migration> broken(Migrations().begin(), Migrations().end());
  const std::string sql =
      std::string(broken[version].sql) + "TRUNCATE rebound.message_labels; SELECT nonsense;";
  broken[version].sql = sql;
  EXPECT_TRUE(Holds(ErrorOf([&] { MigrateSchema(&connection_, broken); }),
                    "column \"nonsense\" does not exist"));
  EXPECT_EQ(Column(uri_, "SELECT max(version) FROM rebound.schema_migrations"),
            std::to_string(version));
  EXPECT_EQ(TablesOf(uri_), tables_);
  ExpectAllRows(uri_);
  // The mended one goes on from there.
  EXPECT_EQ(MigrateSchema(&connection_).size(), Migrations().size() - version);
  ExpectAllRows(uri_);
}

INSTANTIATE_TEST_SUITE_P(FromVersion, Failing, testing::Values(size_t{1}, Migrations().size() - 1),
                         testing::PrintToStringParamName());

using Waiting = Upgrade;

// Whoever reads a table holds up a change of it, and everybody who comes later waits behind that.
TEST_P(Waiting, AMigrationGivesUpOnATableThatASessionHolds) {
  Make(GetParam());
  PostgresConnection other(uri_);
  std::string error;
  other.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    sql.Execute("SELECT count(*) FROM rebound.training_runs");
    std::vector<Migration> quick(Migrations().begin(), Migrations().end());
    const std::string at_once = "SET LOCAL lock_timeout = '50ms';" + std::string(quick[2].sql);
    quick[2].sql = at_once;
    error = ErrorOf([&] { MigrateSchema(&connection_, quick); });
  });
  EXPECT_TRUE(Holds(error, "another session of " + DescribePostgres(uri_) + " holds what this "));
  ExpectAllRows(uri_);
  EXPECT_EQ(MigrateSchema(&connection_).size(), Migrations().size() - GetParam());
}

INSTANTIATE_TEST_SUITE_P(FromVersion, Waiting, testing::Values(size_t{2}),
                         testing::PrintToStringParamName());

using Restored = Upgrade;

TEST_P(Restored, ABackupOfAnEarlierVersionComesUpAfterTheRestore) {
  Make(GetParam());
  const TempFolder folder;
  BackUpStore(uri_, folder.path() / "store.backup");
  const std::string other = test::SharedCluster().NewDatabase();
  const BackupReport report = RestoreStore(other, folder.path() / "store.backup");
  EXPECT_EQ(report.schema_version, static_cast<int64_t>(GetParam()));
  ExpectAllRows(other);
  EXPECT_TRUE(Holds(ErrorOf([&] { OpenLabelStore(other); }), "run rebound-labels migrate"));
  PostgresConnection connection(other);
  EXPECT_EQ(MigrateSchema(&connection).size(), Migrations().size() - GetParam());
  ExpectAllRows(other);
  Works(other);
}

INSTANTIATE_TEST_SUITE_P(FromVersion, Restored, testing::Values(size_t{1}, Migrations().size() - 1),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace rebound
