-- The generation log: what was recorded, its place in the log, and what it was screened against.

-- One generation. What is personal stands in three columns only, and erasing a person empties them: whose it is, the
-- payload, and the record's key, wrapped by the person's.
CREATE TABLE record (
    generation_id  uuid PRIMARY KEY,
    -- The order of acceptance, in which indexes are given.
    arrival        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- The place in the log: given once, to one record, and never given again.
    log_index      bigint UNIQUE CHECK (log_index >= 0),
    accepted_at    timestamptz NOT NULL,
    occurred_at    timestamptz NOT NULL,
    provider       text NOT NULL,
    model          text NOT NULL,
    product        text NOT NULL,
    locale         text NOT NULL,
    modality       text NOT NULL,
    label          jsonb NOT NULL,
    decision       text NOT NULL,
    -- Derived from the payload, so emptied with it.
    hits           jsonb NOT NULL,
    library_digest bytea NOT NULL,
    -- The log entry: tiles are a function of these bytes and the index, and of nothing else.
    entry          bytea NOT NULL,
    subject        text,
    payload        bytea,
    wrapped_key    bytea,
    erased_at      timestamptz,
    CONSTRAINT erased_or_whole CHECK (
        (erased_at IS NULL AND subject IS NOT NULL AND payload IS NOT NULL AND wrapped_key IS NOT NULL)
        OR (erased_at IS NOT NULL AND subject IS NULL AND payload IS NULL AND wrapped_key IS NULL AND hits = '[]'::jsonb)
    )
);
-- Ciphertext does not compress.
ALTER TABLE record ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX record_waiting ON record (arrival) WHERE log_index IS NULL;
CREATE INDEX record_subject ON record (subject, occurred_at, generation_id) WHERE subject IS NOT NULL;

-- Who may write the log: each holder of the sequencer's lock takes the next epoch, and a stale one is refused here.
CREATE TABLE sequencer (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch      bigint NOT NULL,
    next_index bigint NOT NULL
);
INSERT INTO sequencer (epoch, next_index) VALUES (0, 0);

-- Every tree the log has committed to. The key forbids a second root for a size.
CREATE TABLE tree (
    size         bigint PRIMARY KEY CHECK (size >= 0),
    root         bytea NOT NULL CHECK (octet_length(root) = 32),
    checkpoint   text NOT NULL,
    published_at timestamptz NOT NULL
);

-- What screening looks for (Deep Synthesis 10).
CREATE TABLE feature (
    feature_id  text PRIMARY KEY,
    kind        text NOT NULL,
    value       text NOT NULL,
    category    text NOT NULL,
    decision    text NOT NULL,
    citation    text NOT NULL,
    state       text NOT NULL,
    proposed_by text NOT NULL,
    admitted_by text NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE INDEX feature_admitted ON feature (feature_id) WHERE state = 'admitted';

-- The digest of the admitted features, so that a process sees cheaply that its compiled library is old.
CREATE TABLE library (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    digest   bytea NOT NULL
);
INSERT INTO library (digest) VALUES (sha256(E'candor feature library 1\n'::bytea));

-- Records that were made before an erasure of their subject and came after it; only their number is kept.
CREATE TABLE discarded (
    day     date PRIMARY KEY,
    records bigint NOT NULL
);
