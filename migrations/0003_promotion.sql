-- Models that earn their place: names of snapshots, what a run is made from, texts that every model
-- must get right, bundles in the database, and promotions that tell themselves to a fleet.

-- A name never moves to another snapshot; a snapshot may have several.
CREATE TABLE rebound.snapshot_names (
  name        text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9._-]{0,99}$'),
  snapshot_id bigint NOT NULL REFERENCES rebound.snapshots,
  named_by    text NOT NULL DEFAULT current_user,
  named_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON rebound.snapshot_names (snapshot_id);

-- Options, environment, code, tokenizer, incumbent and verdict of a run, as it wrote them itself.
ALTER TABLE rebound.training_runs ADD COLUMN details json;

-- Texts (masked) that must get, or must never get, a class. An entry is never edited; who removes
-- one says so, and it stays as history.
CREATE TABLE rebound.must_pass (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  label_set_id       smallint NOT NULL,
  label_id           smallint NOT NULL,
  must               boolean NOT NULL,  -- true: must get the label; false: must never get it
  text               text NOT NULL CHECK (text <> ''),
  digest             bytea NOT NULL CHECK (octet_length(digest) = 32),
  normaliser_version integer NOT NULL CHECK (normaliser_version > 0),
  added_by           text NOT NULL CHECK (added_by <> ''),
  reason             text NOT NULL CHECK (reason <> ''),
  added_at           timestamptz NOT NULL DEFAULT now(),
  removed_by         text CHECK (removed_by <> ''),
  removed_at         timestamptz,
  CHECK ((removed_by IS NULL) = (removed_at IS NULL)),
  FOREIGN KEY (label_set_id, label_id) REFERENCES rebound.labels (label_set_id, id)
);
CREATE UNIQUE INDEX must_pass_entry ON rebound.must_pass
  (label_set_id, digest, normaliser_version, label_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX must_pass_one_label ON rebound.must_pass
  (label_set_id, digest, normaliser_version) WHERE must AND removed_at IS NULL;

CREATE FUNCTION rebound.keep_must_pass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (OLD.label_set_id, OLD.label_id, OLD.must, OLD.text, OLD.digest, OLD.normaliser_version,
         OLD.added_by, OLD.reason, OLD.added_at)
        IS DISTINCT FROM
        (NEW.label_set_id, NEW.label_id, NEW.must, NEW.text, NEW.digest, NEW.normaliser_version,
         NEW.added_by, NEW.reason, NEW.added_at) THEN
    RAISE EXCEPTION 'entries of rebound.must_pass are added and removed once, never edited'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_must_pass BEFORE UPDATE OR DELETE ON rebound.must_pass
  FOR EACH ROW EXECUTE FUNCTION rebound.keep_must_pass();

-- Published bundles. `digest` covers name and sha256 of every file. Pruning removes files; the
-- digest stays, so that a number never names two bundles.
CREATE TABLE rebound.bundles (
  label_set_id smallint NOT NULL,
  version      integer NOT NULL,
  digest       text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  bytes        bigint NOT NULL CHECK (bytes >= 0),
  uploaded_by  text NOT NULL DEFAULT current_user,
  uploaded_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (label_set_id, version),
  FOREIGN KEY (label_set_id, version) REFERENCES rebound.models (label_set_id, version)
);

CREATE TABLE rebound.bundle_files (
  label_set_id smallint NOT NULL,
  version      integer NOT NULL,
  name         text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
  sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  content      bytea NOT NULL,
  PRIMARY KEY (label_set_id, version, name),
  FOREIGN KEY (label_set_id, version) REFERENCES rebound.bundles (label_set_id, version)
);
-- Weights do not compress.
ALTER TABLE rebound.bundle_files ALTER COLUMN content SET STORAGE EXTERNAL;

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['snapshot_names', 'bundles']
  LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON rebound.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION rebound.refuse_change()', name);
  END LOOP;
END $$;
CREATE TRIGGER refuse_change BEFORE UPDATE ON rebound.bundle_files
  FOR EACH STATEMENT EXECUTE FUNCTION rebound.refuse_change();

-- Who promoted, why, and whether it went back to what served before.
ALTER TABLE rebound.promotions
  ADD COLUMN promoted_by text NOT NULL DEFAULT '',
  ADD COLUMN reason      text NOT NULL DEFAULT '',
  ADD COLUMN rollback    boolean NOT NULL DEFAULT false;
CREATE INDEX ON rebound.promotions (label_set_id, id DESC);

-- Told with the commit, whatever path wrote the row.
CREATE FUNCTION rebound.tell_promotion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('rebound_promotions',
                    json_build_object('task', s.task, 'version', NEW.version)::text)
    FROM rebound.label_sets s WHERE s.id = NEW.label_set_id;
  RETURN NULL;
END $$;
CREATE TRIGGER tell_promotion AFTER INSERT ON rebound.promotions
  FOR EACH ROW EXECUTE FUNCTION rebound.tell_promotion();
