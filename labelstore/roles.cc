#include "labelstore/roles.h"

#include <string>

#include "base/error.h"

namespace rebound {
namespace {

constexpr const char* kRoles = R"sql(
DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['rebound_server', 'rebound_promoter', 'rebound_trainer',
                             'rebound_reviewer'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = role) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- another database of the cluster was faster
    END;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA rebound FROM %I', role);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA rebound FROM %I', role);
    EXECUTE format('GRANT USAGE ON SCHEMA rebound TO %I', role);
  END LOOP;
END $$;

-- Trigger functions that write as the owner serve our triggers alone (0004_operations.sql).
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rebound FROM PUBLIC;

-- rebound_server
GRANT SELECT ON rebound.schema_migrations, rebound.label_sets, rebound.labels, rebound.models,
  rebound.promotions, rebound.training_runs, rebound.snapshots, rebound.proposals,
  rebound.proposal_labels, rebound.contributed_texts, rebound.clusters, rebound.cluster_bands,
  rebound.deliveries, rebound.idempotency_keys, rebound.contributors, rebound.quarantine_hits,
  rebound.reviews, rebound.bundles, rebound.bundle_files TO rebound_server;
GRANT INSERT ON rebound.proposals, rebound.proposal_labels, rebound.contributed_texts,
  rebound.clusters, rebound.cluster_bands, rebound.deliveries, rebound.idempotency_keys
  TO rebound_server;
GRANT INSERT (name) ON rebound.contributors TO rebound_server;
GRANT INSERT (contributor, rule, detail, proposals) ON rebound.quarantine_hits TO rebound_server;
GRANT UPDATE (status, reason, comment, changed_at, disagreement, uncertainty, cost)
  ON rebound.proposals TO rebound_server;
GRANT UPDATE (label_id, model_label_id, model_probability, model_version)
  ON rebound.proposal_labels TO rebound_server;
GRANT UPDATE (volume) ON rebound.clusters TO rebound_server;
GRANT UPDATE (held_reason, held_at) ON rebound.contributors TO rebound_server;
GRANT UPDATE (undone_at) ON rebound.reviews TO rebound_server;
GRANT USAGE ON SEQUENCE rebound.proposals_id_seq, rebound.clusters_id_seq TO rebound_server;

-- Freezing and comparing snapshots takes temporary tables, which a site may have taken from PUBLIC.
DO $$ BEGIN
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO rebound_trainer, rebound_reviewer',
                 current_database());
EXCEPTION WHEN insufficient_privilege THEN
  NULL;  -- somebody else's database, where PUBLIC has the right unless that owner took it
END $$;

-- rebound_promoter: beside rebound_server, for a server whose API promotes
GRANT SELECT ON rebound.schema_migrations, rebound.label_sets, rebound.models, rebound.promotions,
  rebound.bundles, rebound.bundle_files TO rebound_promoter;
GRANT INSERT ON rebound.models, rebound.bundles, rebound.bundle_files, rebound.promotions
  TO rebound_promoter;

-- rebound_trainer
GRANT SELECT ON ALL TABLES IN SCHEMA rebound TO rebound_trainer;
GRANT INSERT ON rebound.snapshots, rebound.snapshot_rows, rebound.snapshot_names,
  rebound.training_runs, rebound.models, rebound.bundles, rebound.bundle_files, rebound.promotions
  TO rebound_trainer;
GRANT UPDATE (status, reason, version, weights_sha256, scorecard, incumbent_scorecard, details,
  finished_at) ON rebound.training_runs TO rebound_trainer;
GRANT DELETE ON rebound.bundle_files TO rebound_trainer;  -- pruning; the digest stays

-- rebound_reviewer: also proposes, for labels that the finder doubts
GRANT SELECT ON ALL TABLES IN SCHEMA rebound TO rebound_reviewer;
GRANT INSERT ON rebound.reviews, rebound.review_labels, rebound.messages, rebound.message_labels,
  rebound.proposals, rebound.proposal_labels, rebound.contributed_texts, rebound.clusters,
  rebound.cluster_bands, rebound.deliveries, rebound.suspicions TO rebound_reviewer;
GRANT INSERT ON rebound.must_pass TO rebound_reviewer;
GRANT UPDATE (removed_by, removed_at) ON rebound.must_pass TO rebound_reviewer;
GRANT INSERT (name) ON rebound.contributors TO rebound_reviewer;
GRANT UPDATE (undone_at, superseded_by) ON rebound.reviews TO rebound_reviewer;
GRANT UPDATE ON rebound.proposals, rebound.proposal_labels, rebound.message_labels,
  rebound.suspicions TO rebound_reviewer;
GRANT UPDATE (agreed, disagreed, held_reason, held_at) ON rebound.contributors TO rebound_reviewer;
GRANT UPDATE (released_at, released_by) ON rebound.quarantine_hits TO rebound_reviewer;
GRANT UPDATE (overlap) ON rebound.review_settings TO rebound_reviewer;
GRANT UPDATE (volume) ON rebound.clusters TO rebound_reviewer;
-- What FOR NO KEY UPDATE asks for.
GRANT UPDATE (cluster_id) ON rebound.contributed_texts TO rebound_reviewer;
GRANT DELETE ON rebound.message_labels TO rebound_reviewer;
GRANT USAGE ON SEQUENCE rebound.review_batches, rebound.proposals_id_seq, rebound.clusters_id_seq
  TO rebound_reviewer;
)sql";

}  // namespace

void GrantRoles(PostgresConnection* connection) {
  connection->Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    // PostgreSQL would only warn, and give nothing.
    const SqlRows owner = sql.Execute(
        "SELECT o.rolname, pg_has_role(o.oid, 'USAGE') FROM pg_namespace n "
        "JOIN pg_roles o ON o.oid = n.nspowner WHERE n.nspname = 'rebound'");
    if (owner.size() == 1 && !owner.Bool(0, 1)) {
      throw Error(ErrorCode::kInvalidArgument,
                  connection->description() +
                      " refuses this user: give rights as the owner of the "
                      "schema, " +
                      std::string(owner.Text(0, 0)));
    }
    sql.ExecuteScript(kRoles);
  });
}

}  // namespace rebound
