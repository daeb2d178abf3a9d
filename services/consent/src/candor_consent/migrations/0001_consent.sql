-- Purposes and notices: versions are added, never changed, for consents rest on them.
CREATE TABLE purpose (
    purpose_id text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    description text NOT NULL,
    method text NOT NULL,
    categories text[] NOT NULL,
    sensitive boolean NOT NULL,
    training boolean NOT NULL,
    defined_at timestamptz NOT NULL,
    PRIMARY KEY (purpose_id, version)
);

CREATE TABLE notice (
    notice_id text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    locale text NOT NULL,
    url text NOT NULL,
    text_sha256 bytea NOT NULL CHECK (octet_length(text_sha256) = 32),
    effective_from timestamptz NOT NULL,
    PRIMARY KEY (notice_id, version)
);

-- What a notice explains, in its order.
CREATE TABLE notice_purpose (
    notice_id text NOT NULL,
    notice_version integer NOT NULL,
    place integer NOT NULL,
    purpose_id text NOT NULL,
    purpose_version integer NOT NULL,
    PRIMARY KEY (notice_id, notice_version, place),
    FOREIGN KEY (notice_id, notice_version) REFERENCES notice (notice_id, version),
    FOREIGN KEY (purpose_id, purpose_version) REFERENCES purpose (purpose_id, version)
);

-- A person. The identifier is random; who it is stands only in pseudonym and sealed_subject. An erasure puts the acts under
-- a new row without either. It bears no time, for that would lead back to the request that asked for the erasure.
CREATE TABLE person (
    person_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    pseudonym bytea UNIQUE,
    sealed_subject bytea
);

-- The acts of persons, in the order they were recorded. What stays after an erasure proves that consent was managed.
CREATE TABLE act (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act_id uuid NOT NULL UNIQUE,
    person_id uuid NOT NULL REFERENCES person (person_id),
    deed text NOT NULL CHECK (deed IN ('GRANTED', 'WITHDRAWN', 'EXPIRED', 'TRAINING_REFUSED')),
    consent_id uuid,
    purpose_id text,
    purpose_version integer,
    notice_id text,
    notice_version integer,
    kind text CHECK (kind IN ('GENERAL', 'SEPARATE')),
    age_band text CHECK (age_band IN ('UNDER_14', '14_TO_17', 'ADULT')),
    guardian_method text,
    sealed_guardian bytea,
    channel text,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- Not "later than": a term shorter than the microsecond that is kept ends as it begins.
    expires_at timestamptz CHECK (expires_at >= at),
    FOREIGN KEY (purpose_id, purpose_version) REFERENCES purpose (purpose_id, version),
    FOREIGN KEY (notice_id, notice_version) REFERENCES notice (notice_id, version),
    CHECK ((deed = 'TRAINING_REFUSED') = (consent_id IS NULL)),
    CHECK ((consent_id IS NULL) = (purpose_id IS NULL))
);

CREATE INDEX act_of_person ON act (person_id, position);

-- A consent has one grant, and runs out at most once.
CREATE UNIQUE INDEX act_once ON act (consent_id, deed) WHERE deed IN ('GRANTED', 'EXPIRED');

-- Consents that will run out; a row leaves when its consent was taken back, renewed, or put on record as expired.
CREATE TABLE term (
    consent_id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person (person_id),
    purpose_id text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX term_next ON term (expires_at);
CREATE INDEX term_of_person ON term (person_id);
