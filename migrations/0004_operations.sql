-- Running the store: what may be forgotten, and what nobody may call.

-- A trigger function that writes as its owner must serve our triggers alone: attached to a table of
-- one's own it would write any line into the audit or the votes' history.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rebound FROM PUBLIC;

-- A delivery id outlives its proposal: what a spool still holds must not come twice because the
-- proposal was forgotten meanwhile.
ALTER TABLE rebound.deliveries DROP CONSTRAINT deliveries_proposal_id_fkey;
CREATE INDEX ON rebound.deliveries (received_at);
CREATE INDEX ON rebound.idempotency_keys (created_at);

-- A message never changes, and goes only where its contributors asked for it (rebound-labels retain
-- --contributor) and no snapshot holds it, which the foreign key sees to.
DROP TRIGGER refuse_change ON rebound.messages;
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON rebound.messages
  FOR EACH STATEMENT EXECUTE FUNCTION rebound.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE ON rebound.messages
  FOR EACH STATEMENT
  WHEN (coalesce(current_setting('rebound.erasure', true), '') <> 'on')
  EXECUTE FUNCTION rebound.refuse_change();
-- What refers to a message is looked for when one goes.
CREATE INDEX ON rebound.snapshot_rows (message_id);
