-- A claim with its present verdict. Its text is the rumour, never a person's output.
CREATE TABLE claim (
    claim_id       uuid PRIMARY KEY,
    text           text NOT NULL,
    locale         text NOT NULL,
    fingerprint    bytea NOT NULL UNIQUE,
    first_seen_at  timestamptz,
    first_seen_url text NOT NULL,
    registered_at  timestamptz NOT NULL,
    verdict        text CHECK (verdict IN ('false', 'misleading', 'unverified', 'true')),
    explanation    text NOT NULL DEFAULT '',
    sources        jsonb NOT NULL DEFAULT '[]',
    decided_at     timestamptz,
    spread_level   smallint NOT NULL DEFAULT 0,
    -- When the highest level was announced; the epoch: never. Not null, so that pages can go on from it.
    spread_at      timestamptz NOT NULL DEFAULT 'epoch'
);
CREATE INDEX claim_spread ON claim (spread_at DESC, claim_id DESC);

-- Rises with every verdict: whoever holds an index of refuted claims sees with one row that it is old.
CREATE TABLE claims_version (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);
INSERT INTO claims_version (version) VALUES (0);

-- An output repeats a claim. No text, gram or span of it, and no person: generation_id is random, and its link to a person is
-- destroyed by generation's erasure (PIPL 47), so nothing here has to go with it.
CREATE TABLE match (
    claim_id      uuid NOT NULL REFERENCES claim,
    generation_id uuid NOT NULL,
    log_index     bigint NOT NULL,
    occurred_at   timestamptz NOT NULL,
    containment   double precision NOT NULL,
    band          text NOT NULL CHECK (band IN ('automatic', 'review')),
    matched_at    timestamptz NOT NULL,
    PRIMARY KEY (claim_id, generation_id)
);
CREATE INDEX match_occurred ON match (claim_id, occurred_at, band);
CREATE INDEX match_matched ON match (claim_id, matched_at, generation_id);

-- A level announced: once per claim and level.
CREATE TABLE spread (
    claim_id     uuid NOT NULL REFERENCES claim,
    level        smallint NOT NULL,
    matches      bigint NOT NULL,
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL,
    detected_at  timestamptz NOT NULL,
    PRIMARY KEY (claim_id, level)
);

-- What happened to a claim, who did it and when; matches are in their own table.
CREATE TABLE step (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim_id uuid NOT NULL REFERENCES claim,
    kind     text NOT NULL
        CHECK (kind IN ('registered', 'verdict', 'notice_published', 'spread_nominated', 'spread_detected')),
    level    smallint NOT NULL DEFAULT 0,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    note     text NOT NULL
);
CREATE INDEX step_claim ON step (claim_id, id);
-- A view nominates until it is heard; the first nomination of a level is the step.
CREATE UNIQUE INDEX step_nominated ON step (claim_id, level) WHERE kind = 'spread_nominated';
