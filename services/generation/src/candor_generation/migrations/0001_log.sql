-- The generation log: what was recorded, its place in the log, and what it was screened against.

-- A log: one period of one kind. Its origin names it in its checkpoints; its files lie below the last two parts of that.
CREATE TABLE log (
    log_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('generation', 'acts')),
    period     text NOT NULL,
    origin     text NOT NULL UNIQUE,
    -- What was made in this time is in this log; a record's time is that of its id.
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL CHECK (ends_at > starts_at),
    -- The first index that is not given yet, and the first whose fact is not published yet.
    next_index bigint NOT NULL DEFAULT 0,
    told       bigint NOT NULL DEFAULT 0,
    dropped_at timestamptz,
    UNIQUE (kind, starts_at)
);

-- Leaves that were accepted together and follow each other in the log; the entries as a bundle has them. Tiles are a
-- function of these bytes and of `first_index`, and of nothing else.
CREATE TABLE addition (
    addition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id      integer NOT NULL REFERENCES log,
    leaves      integer NOT NULL CHECK (leaves > 0),
    entries     bytea NOT NULL,
    accepted_at timestamptz NOT NULL,
    -- Given once, and never given again.
    first_index bigint CHECK (first_index >= 0)
);
-- Commitments and digests do not compress.
ALTER TABLE addition ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE INDEX addition_waiting ON addition (log_id, addition_id) WHERE first_index IS NULL;
CREATE UNIQUE INDEX addition_place ON addition (log_id, first_index);

-- One generation. What is personal stands in three columns only, and erasing a person empties them: whose it is, the
-- payload, and the record's key, wrapped by the person's. A period is a partition, so that it can be dropped whole: the
-- id, a UUIDv7, begins with the time it was made at.
CREATE TABLE record (
    generation_id uuid PRIMARY KEY,
    -- Its place in the log: the first index of its addition and this many more.
    addition_id   bigint NOT NULL,
    ordinal       integer NOT NULL,
    occurred_at   timestamptz NOT NULL,
    product       text NOT NULL,
    model         text NOT NULL,
    decision      smallint NOT NULL,
    -- GenerationRecorded but for the place; what was found in the text is emptied with the text.
    fact          bytea NOT NULL,
    subject       text,
    payload       bytea,
    wrapped_key   bytea,
    erased_at     timestamptz,
    CONSTRAINT erased_or_whole CHECK (
        (erased_at IS NULL AND payload IS NOT NULL AND wrapped_key IS NOT NULL)
        OR (erased_at IS NOT NULL AND subject IS NULL AND payload IS NULL AND wrapped_key IS NULL)
    )
) PARTITION BY RANGE (generation_id);
-- Ciphertext does not compress.
ALTER TABLE record ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX record_place ON record (addition_id, ordinal);
CREATE INDEX record_subject ON record (subject, occurred_at, generation_id) WHERE subject IS NOT NULL;
CREATE INDEX record_flagged ON record (occurred_at, generation_id) WHERE decision > 1;
-- Records come nearly in the order of their times.
CREATE INDEX record_time ON record USING brin (occurred_at);

-- Who may write the logs: each holder of the sequencer's lock takes the next epoch, and a stale one is refused here.
CREATE TABLE sequencer (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL
);
INSERT INTO sequencer (epoch) VALUES (0);

-- Every tree a log has committed to. The key forbids a second root for a size.
CREATE TABLE tree (
    log_id       integer NOT NULL REFERENCES log,
    size         bigint NOT NULL CHECK (size >= 0),
    root         bytea NOT NULL CHECK (octet_length(root) = 32),
    checkpoint   text NOT NULL,
    committed_at timestamptz NOT NULL,
    PRIMARY KEY (log_id, size)
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

-- The compliance acts: every public fact but GenerationRecorded, as it was published. The fact is sealed under a random
-- key that the subject's key wraps where the fact names one, so that erasing the person makes it unreadable here too.
CREATE TABLE act (
    source      text NOT NULL,
    fact_id     text NOT NULL,
    addition_id bigint NOT NULL,
    ordinal     integer NOT NULL,
    -- The keyed pseudonym of whom the fact names.
    pseudonym   bytea,
    sealed      bytea,
    wrapped_key bytea,
    PRIMARY KEY (source, fact_id)
);
CREATE INDEX act_place ON act (addition_id);
CREATE INDEX act_pseudonym ON act (pseudonym) WHERE pseudonym IS NOT NULL;
