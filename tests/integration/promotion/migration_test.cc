// A store of the first version, with data, serves on after every later migration.
#include "labelstore/lineage.h"
#include "labelstore/schema.h"
#include "labelstore/snapshots.h"
#include "stores.h"

namespace rebound {
namespace {

TEST(Migration0003, AStoreOfTheFirstVersionKeepsWhatItHas) {
  const std::string uri = test::SharedCluster().NewDatabase();
  PostgresConnection connection(uri);
  MigrateSchema(&connection, Migrations().first(1));
  Change(uri, R"sql(
    INSERT INTO rebound.messages (text, digest, normaliser_version, split_group, held_out)
      VALUES ('550 no such user', sha256('550 no such user'), 2, 'g', false);
    INSERT INTO rebound.message_labels (message_id, label_set_id, contributor, label_id, origin)
      VALUES (1, 1, 'alice', 14, 'seed');
    INSERT INTO rebound.snapshots (digest, rows) VALUES (repeat('ab', 32), 1);
    INSERT INTO rebound.snapshot_rows (snapshot_id, position, message_id, origin, bnac)
      VALUES (1, 1, 1, 'seed', 14);
    INSERT INTO rebound.training_runs (label_set_id, snapshot_id, seed, status, version)
      VALUES (1, 1, 18446744073709551615, 'promoted', 1);
    INSERT INTO rebound.models (label_set_id, version, weights_sha256, run_id)
      VALUES (1, 1, repeat('cd', 32), 1), (1, 2, repeat('ef', 32), NULL);
    INSERT INTO rebound.promotions (label_set_id, version) VALUES (1, 1), (1, 2);
  )sql");
  EXPECT_EQ(MigrateSchema(&connection).size(), Migrations().size() - 1);

  SnapshotCatalog snapshots(&connection);
  EXPECT_EQ(snapshots.Find("abababab").rows_by_origin.at("seed"), 1);
  snapshots.Name(1, "the-old-one");
  ModelRegistry registry(uri);
  EXPECT_EQ(registry.Current(Task::kBnac)->version, 2);
  EXPECT_EQ(registry.Current(Task::kBnac)->by, "") << "nobody wrote it down";
  EXPECT_EQ(registry.Rollback(Task::kBnac, "anna", "as before"), 1);
  const Lineage lineage = FindLineage(uri, "bnac/1");
  EXPECT_EQ(lineage.seed, 18446744073709551615u);
  EXPECT_EQ(lineage.snapshot->names, std::vector<std::string>{"the-old-one"});
  EXPECT_EQ(lineage.promotions.size(), 2u);
  EXPECT_NE(WriteLineageText(lineage).find("options        not recorded"), std::string::npos)
      << WriteLineageText(lineage);
  EXPECT_EQ(OpenLabelStore(uri)->ReadRuns(1)[0].details_json, "");
}

}  // namespace
}  // namespace rebound
