-- The label store: what people said about texts, what was frozen of it, what was trained from it.
--
-- Rules the schema itself holds: a message never changes; a vote that changes leaves its history;
-- history and snapshots are never edited. Texts are masked before they come here.

-- The label sets. Names are wire values; ids stand in rows and are never given anew.
CREATE TABLE rebound.label_sets (
  id   smallint PRIMARY KEY,
  task text NOT NULL UNIQUE
);

CREATE TABLE rebound.labels (
  id           smallint PRIMARY KEY,
  label_set_id smallint NOT NULL REFERENCES rebound.label_sets,
  name         text NOT NULL,
  UNIQUE (label_set_id, name),
  UNIQUE (label_set_id, id)
);

-- One row a text: unique by the digest of its normalised form under one version of the normaliser.
CREATE TABLE rebound.messages (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  text               text NOT NULL CHECK (text <> ''),
  digest             bytea NOT NULL CHECK (octet_length(digest) = 32),
  normaliser_version integer NOT NULL CHECK (normaliser_version > 0),
  -- Template or skeleton: texts of one group are never split between training and judging.
  split_group        text NOT NULL CHECK (split_group <> ''),
  held_out           boolean NOT NULL,
  created_at         timestamptz NOT NULL DEFAULT now(),
  UNIQUE (digest, normaliser_version)
);

-- In order of weight: a later one outranks those before it.
CREATE TYPE rebound.label_origin AS ENUM ('seed', 'contribution', 'review');

-- One vote: what a contributor says about a message in one task, now.
CREATE TABLE rebound.message_labels (
  message_id   bigint NOT NULL REFERENCES rebound.messages,
  label_set_id smallint NOT NULL,
  contributor  text NOT NULL CHECK (contributor <> ''),
  label_id     smallint NOT NULL,
  origin       rebound.label_origin NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (message_id, label_set_id, contributor),
  FOREIGN KEY (label_set_id, label_id) REFERENCES rebound.labels (label_set_id, id)
);

-- Every vote that was changed or withdrawn, written by a trigger so that no path can forget it.
CREATE TABLE rebound.vote_history (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id   bigint NOT NULL,
  label_set_id smallint NOT NULL,
  contributor  text NOT NULL,
  old_label_id smallint NOT NULL,
  old_origin   rebound.label_origin NOT NULL,
  new_label_id smallint,
  new_origin   rebound.label_origin,
  voted_at     timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON rebound.vote_history (message_id);

CREATE FUNCTION rebound.keep_old_vote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO rebound.vote_history
      (message_id, label_set_id, contributor, old_label_id, old_origin, voted_at)
    VALUES
      (OLD.message_id, OLD.label_set_id, OLD.contributor, OLD.label_id, OLD.origin, OLD.created_at);
  ELSIF (OLD.label_id, OLD.origin) IS DISTINCT FROM (NEW.label_id, NEW.origin) THEN
    INSERT INTO rebound.vote_history
      (message_id, label_set_id, contributor, old_label_id, old_origin, new_label_id, new_origin,
       voted_at)
    VALUES
      (OLD.message_id, OLD.label_set_id, OLD.contributor, OLD.label_id, OLD.origin, NEW.label_id,
       NEW.origin, OLD.created_at);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_old_vote AFTER UPDATE OR DELETE ON rebound.message_labels
  FOR EACH ROW EXECUTE FUNCTION rebound.keep_old_vote();

CREATE FUNCTION rebound.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of rebound.% are never changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

-- The label that counts, by message and task: the votes of the highest origin decide by majority;
-- where they tie the message has no label in this task.
CREATE VIEW rebound.effective_labels AS
WITH counted AS (
  SELECT message_id, label_set_id, origin, label_id, count(*) AS votes
  FROM rebound.message_labels
  GROUP BY message_id, label_set_id, origin, label_id
), ranked AS (
  SELECT *, rank() OVER (PARTITION BY message_id, label_set_id
                         ORDER BY origin DESC, votes DESC) AS place
  FROM counted
)
SELECT message_id, label_set_id, max(origin) AS origin, max(label_id) AS label_id
FROM ranked
WHERE place = 1
GROUP BY message_id, label_set_id
HAVING count(*) = 1;

-- What a training run sees: frozen, ordered by content, named by its digest.
CREATE TABLE rebound.snapshots (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest     text NOT NULL UNIQUE CHECK (digest ~ '^[0-9a-f]{64}$'),
  rows       bigint NOT NULL CHECK (rows >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE rebound.snapshot_rows (
  snapshot_id bigint NOT NULL REFERENCES rebound.snapshots,
  position    bigint NOT NULL,
  message_id  bigint NOT NULL REFERENCES rebound.messages,
  origin      rebound.label_origin NOT NULL,
  bnac        smallint REFERENCES rebound.labels,
  backoff     smallint REFERENCES rebound.labels,
  action      smallint REFERENCES rebound.labels,
  PRIMARY KEY (snapshot_id, position)
);

CREATE TABLE rebound.training_runs (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  label_set_id        smallint NOT NULL REFERENCES rebound.label_sets,
  snapshot_id         bigint NOT NULL REFERENCES rebound.snapshots,
  seed                numeric(20, 0) NOT NULL,
  status              text NOT NULL CHECK (status IN ('running', 'promoted', 'not_promoted', 'failed')),
  reason              text NOT NULL DEFAULT '',
  version             integer NOT NULL DEFAULT 0 CHECK (version >= 0),
  weights_sha256      text NOT NULL DEFAULT '',
  scorecard           json,
  incumbent_scorecard json,
  started_at          timestamptz NOT NULL DEFAULT now(),
  finished_at         timestamptz
);
CREATE INDEX ON rebound.training_runs (status) WHERE status = 'running';

-- The registry: every published bundle, and every promotion; the last one of a task is current.
CREATE TABLE rebound.models (
  label_set_id   smallint NOT NULL REFERENCES rebound.label_sets,
  version        integer NOT NULL CHECK (version > 0),
  weights_sha256 text NOT NULL,
  run_id         bigint REFERENCES rebound.training_runs,
  registered_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (label_set_id, version)
);

CREATE TABLE rebound.promotions (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  label_set_id smallint NOT NULL,
  version      integer NOT NULL,
  promoted_at  timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (label_set_id, version) REFERENCES rebound.models (label_set_id, version)
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['messages', 'vote_history', 'snapshots', 'snapshot_rows', 'promotions']
  LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON rebound.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION rebound.refuse_change()', name);
  END LOOP;
END $$;

INSERT INTO rebound.label_sets (id, task) VALUES (1, 'bnac'), (2, 'backoff'), (3, 'action');

INSERT INTO rebound.labels (id, label_set_id, name) VALUES
  (1, 1, 'BLOCKED'),
  (2, 1, 'BLOCK_LIST'),
  (3, 1, 'DKIM'),
  (4, 1, 'DMARC'),
  (5, 1, 'DNS_PTR'),
  (6, 1, 'DOMAIN_REPUTATION'),
  (7, 1, 'GRAYLISTING'),
  (8, 1, 'IP_REPUTATION'),
  (9, 1, 'MESSAGE_CONTENT'),
  (10, 1, 'MX_ERROR'),
  (11, 1, 'PROTOCOL_ERROR'),
  (12, 1, 'RATE_LIMIT'),
  (13, 1, 'RECIPIENT_ERROR'),
  (14, 1, 'RECIPIENT_NOT_FOUND'),
  (15, 1, 'SPF'),
  (16, 1, 'TEMPORARY_ERROR'),
  (17, 1, 'TLS'),
  (18, 1, 'VIRUS'),
  (19, 2, 'AUTHENTICATION_ERROR'),
  (20, 2, 'CONCURRENCY_LIMIT'),
  (21, 2, 'CONNECTION_FAILURE'),
  (22, 2, 'CONTENT_REJECTED_OTHER'),
  (23, 2, 'CONTENT_REJECTED_SPAM'),
  (24, 2, 'CONTENT_REJECTED_VIRUS'),
  (25, 2, 'GENERIC_BLOCK'),
  (26, 2, 'GRAYLISTING'),
  (27, 2, 'INFRASTRUCTURE_BLOCK'),
  (28, 2, 'INFRASTRUCTURE_ERROR'),
  (29, 2, 'MAILBOX_FULL'),
  (30, 2, 'POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL'),
  (31, 2, 'POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL'),
  (32, 2, 'PROTOCOL_ERROR'),
  (33, 2, 'RATE_LIMIT__DOMAIN_RATE_LIMIT'),
  (34, 2, 'RATE_LIMIT__GENERAL'),
  (35, 2, 'RATE_LIMIT__IP_RATE_LIMIT'),
  (36, 2, 'RATE_LIMIT__RECIPIENT_LIMIT'),
  (37, 2, 'RATE_LIMIT__SERVER_BUSY'),
  (38, 2, 'RATE_LIMIT__URL_DOMAIN'),
  (39, 2, 'RECIPIENT_ERROR'),
  (40, 2, 'SENDER_REPUTATION__DOMAIN'),
  (41, 2, 'SENDER_REPUTATION__SENDER_ADDRESS'),
  (42, 2, 'TEMPORARY_SYSTEM_FAILURE'),
  (43, 3, 'auth_failure'),
  (44, 3, 'domain_blacklisted'),
  (45, 3, 'geo_blocked'),
  (46, 3, 'greylisting'),
  (47, 3, 'invalid_address'),
  (48, 3, 'ip_blacklisted'),
  (49, 3, 'mailbox_disabled'),
  (50, 3, 'mailbox_full'),
  (51, 3, 'policy_blocked'),
  (52, 3, 'rate_limited'),
  (53, 3, 'relay_denied'),
  (54, 3, 'server_error'),
  (55, 3, 'spam_blocked'),
  (56, 3, 'unknown'),
  (57, 3, 'user_unknown'),
  (58, 3, 'virus_detected');
