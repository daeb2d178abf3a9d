-- Spans and events of one call to a model that came apart, kept until they are joined: see candor_generation.otlp.

CREATE TABLE otlp_part (
    -- Which call: a keyed hash of trace id and span id, so that the table leads to no trace of another system.
    place       bytea NOT NULL CHECK (octet_length(place) = 32),
    -- Which part: a keyed hash of it, so that a retried export adds nothing.
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    -- The order of arrival.
    arrival     bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL CHECK (kind IN ('span', 'event')),
    -- told: it is in a record, or adds nothing to one; set_aside: no record can be made of it.
    state       text NOT NULL CHECK (state IN ('waiting', 'told', 'set_aside')),
    reason      text NOT NULL DEFAULT '',
    caller      text NOT NULL,
    received_at timestamptz NOT NULL,
    look_at     timestamptz NOT NULL,
    join_by     timestamptz NOT NULL,
    forget_at   timestamptz NOT NULL,
    -- The part, encrypted under the service's key; emptied when it is told.
    sealed      bytea,
    PRIMARY KEY (place, digest),
    CONSTRAINT told_or_kept CHECK ((state = 'told') = (sealed IS NULL))
);
-- Ciphertext does not compress.
ALTER TABLE otlp_part ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX otlp_part_waiting ON otlp_part (look_at) WHERE state = 'waiting';
CREATE INDEX otlp_part_set_aside ON otlp_part (reason) WHERE state = 'set_aside';
CREATE INDEX otlp_part_forgotten ON otlp_part (forget_at);
