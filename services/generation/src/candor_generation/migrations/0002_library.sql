-- The feature library's procedure: reviewed by a second person, measured before it screens, watched while it does.

ALTER TABLE feature
    -- What was admitted before there were modes has decided.
    ADD COLUMN mode          text NOT NULL DEFAULT 'active',
    ADD COLUMN exceptions    text[] NOT NULL DEFAULT '{}',
    ADD COLUMN within_words  boolean NOT NULL DEFAULT false,
    ADD COLUMN valid_from    timestamptz,
    ADD COLUMN valid_until   timestamptz,
    ADD COLUMN source        text NOT NULL DEFAULT '',
    ADD COLUMN standard      text NOT NULL DEFAULT '',
    ADD COLUMN reason        text NOT NULL DEFAULT '',
    ADD COLUMN reviewed_by   text NOT NULL DEFAULT '',
    -- How often the admission run found it in benign texts; empty before admission.
    ADD COLUMN benign_hits   bigint,
    ADD COLUMN benign_texts  bigint,
    ADD COLUMN benign_corpus bytea,
    ADD COLUMN mode_since    timestamptz,
    -- SHA-256 over what a verdict depends on, while it screens; the library's digest is made of these.
    ADD COLUMN digest        bytea;
ALTER TABLE feature ALTER COLUMN mode SET DEFAULT 'shadow';
DROP INDEX feature_admitted;
CREATE INDEX feature_screening ON feature (feature_id) WHERE state = 'admitted' AND mode <> 'suspended';
-- A text of 4,000 characters is too long for a B-tree.
CREATE INDEX feature_value ON feature USING hash (value);

-- Every step of a feature's life, and who answers for it.
CREATE TABLE feature_step (
    feature_id text NOT NULL,
    at         timestamptz NOT NULL,
    step       text NOT NULL,
    by         text NOT NULL,
    mode       text NOT NULL,
    source     text NOT NULL,
    standard   text NOT NULL,
    reason     text NOT NULL,
    category   text NOT NULL,
    valid_from  timestamptz,
    valid_until timestamptz
);
CREATE INDEX feature_step_of ON feature_step (feature_id, at);

-- Every library that was ever in force. A version is never changed.
CREATE TABLE library_version (
    version bigint PRIMARY KEY,
    digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
    since   timestamptz NOT NULL
);
CREATE INDEX library_version_digest ON library_version (digest);

-- What screened, from one version up to but not with another. All that changes in a row, once, is its end.
CREATE TABLE library_row (
    feature_id    text NOT NULL,
    from_version  bigint NOT NULL,
    until_version bigint,
    kind          text NOT NULL,
    value         text NOT NULL,
    category      text NOT NULL,
    decision      text NOT NULL,
    citation      text NOT NULL,
    mode          text NOT NULL,
    exceptions    text[] NOT NULL,
    within_words  boolean NOT NULL,
    valid_from    timestamptz,
    valid_until   timestamptz,
    PRIMARY KEY (feature_id, from_version)
);
CREATE UNIQUE INDEX library_row_current ON library_row (feature_id) WHERE until_version IS NULL;

-- Which version is in force; 0 until the service has put the first on record.
ALTER TABLE library ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- How often features are found, by minute. Batches append and never wait for each other; the guard sums and clears.
CREATE TABLE screened (
    minute      timestamptz NOT NULL,
    generations bigint NOT NULL
);
CREATE INDEX screened_minute ON screened (minute);
CREATE TABLE feature_hits (
    feature_id text NOT NULL,
    minute     timestamptz NOT NULL,
    hits       bigint NOT NULL
);
CREATE INDEX feature_hits_minute ON feature_hits (minute);
