-- What every service's database holds besides its own tables.

-- A command that was carried out, so that a repeat gets the first answer. The digest is keyed: it tells nothing of the body.
CREATE TABLE kit_command (
    command_id uuid PRIMARY KEY,
    made_at    timestamptz NOT NULL,
    digest     bytea NOT NULL,
    reply      bytea
);
CREATE INDEX kit_command_made_at ON kit_command (made_at);

-- What is to be published, written in the transaction that made it true. Order is kept per slot, and a key stays in its slot.
CREATE TABLE kit_outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot    smallint NOT NULL,
    topic   text NOT NULL,
    key     bytea,
    headers jsonb NOT NULL,
    value   bytea
);
CREATE INDEX kit_outbox_slot ON kit_outbox (slot, id);

-- How far each consumer has come; moved by compare-and-set in the transaction of the effect.
CREATE TABLE kit_position (
    consumer    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
);

-- Facts a consumer has applied; topics are at-least-once.
CREATE TABLE kit_seen (
    consumer text NOT NULL,
    source   text NOT NULL,
    id       text NOT NULL,
    seen_at  timestamptz NOT NULL,
    PRIMARY KEY (consumer, source, id)
);
CREATE INDEX kit_seen_seen_at ON kit_seen (seen_at);

-- One key per subject, wrapped by the key-encryption key; deleting the row erases the person.
CREATE TABLE kit_subject_key (
    pseudonym bytea PRIMARY KEY,
    wrapped   bytea NOT NULL
);

-- Erasures, so that what was made before one and arrives after it is discarded.
CREATE TABLE kit_erased_subject (
    pseudonym bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- Tasks of the rights service that this holder carried out; asked again, the same proof is answered.
CREATE TABLE kit_task (
    task_id     uuid PRIMARY KEY,
    proof       bytea NOT NULL,
    answered_at timestamptz NOT NULL
);

-- Who looked at a person's data.
CREATE TABLE kit_view (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    viewer  text NOT NULL,
    method  text NOT NULL,
    request text NOT NULL,
    result  text NOT NULL
);
