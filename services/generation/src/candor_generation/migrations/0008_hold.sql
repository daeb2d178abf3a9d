-- Legal holds: what was to be erased while one lasted is kept under the hold's key, restricted, until it has ended.

CREATE TABLE hold (
    hold_id     uuid PRIMARY KEY,
    -- Everything of one person, until it is executed by a keyed pseudonym and the id sealed under the hold's key; or
    -- the generations that are named.
    of_subject  boolean NOT NULL,
    pseudonym   bytea,
    subject     bytea,
    incident_id text NOT NULL,
    reason      text NOT NULL,
    citation    text NOT NULL,
    placed_by   text NOT NULL,
    placed_at   timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    released_at timestamptz,
    executed_at timestamptz
);
CREATE INDEX hold_pseudonym ON hold (pseudonym) WHERE pseudonym IS NOT NULL AND executed_at IS NULL;
CREATE INDEX hold_unfinished ON hold (until) WHERE executed_at IS NULL;

-- The generations that a hold names. They need not have arrived.
CREATE TABLE hold_generation (
    hold_id       uuid NOT NULL REFERENCES hold,
    generation_id uuid NOT NULL,
    PRIMARY KEY (generation_id, hold_id)
);
CREATE INDEX hold_generation_hold ON hold_generation (hold_id);

-- Records whose erasure was asked for and that a hold keeps: by whose task (absent: the record alone), on what basis.
CREATE TABLE restricted (
    generation_id uuid PRIMARY KEY,
    task_id       text,
    basis         text NOT NULL,
    asked_at      timestamptz NOT NULL
);

-- Which holds keep a restricted record: the record's key and whose it was, sealed under the hold's key.
CREATE TABLE held (
    hold_id       uuid NOT NULL REFERENCES hold,
    generation_id uuid NOT NULL,
    wrapped       bytea NOT NULL,
    PRIMARY KEY (hold_id, generation_id)
);
CREATE INDEX held_generation ON held (generation_id);

-- A restricted record has its payload only: nobody's name and no key, so that nothing but the hold finds or opens it.
ALTER TABLE record DROP CONSTRAINT erased_or_whole;
ALTER TABLE record ADD CONSTRAINT erased_restricted_or_whole CHECK (
    CASE WHEN erased_at IS NULL THEN payload IS NOT NULL AND (subject IS NULL) = (wrapped_key IS NULL)
    ELSE subject IS NULL AND payload IS NULL AND wrapped_key IS NULL END
);
