-- The register of the places that hold personal data.
CREATE TABLE holder (
    holder_id     text PRIMARY KEY,
    name          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('SERVICE', 'PRODUCT', 'DATA_SET', 'MODEL')),
    rights        text[] NOT NULL,
    address       text NOT NULL,
    registered_at timestamptz NOT NULL
);

-- A request. Who asks is sealed under the person's key and found by pseudonym; an erasure empties the three columns and
-- destroys the key. The legal due date is a row, so no restart forgets it.
CREATE TABLE request (
    request_id      uuid PRIMARY KEY,
    asked_right     text NOT NULL CHECK (asked_right IN ('ACCESS', 'DELETION', 'CONSENT_WITHDRAWAL', 'TRAINING_REFUSAL')),
    regime          text NOT NULL CHECK (regime IN ('PIPL', 'GDPR', 'CCPA')),
    state           text NOT NULL CHECK (state IN ('OPEN', 'IN_PROGRESS', 'CLOSED', 'REFUSED')),
    received_at     timestamptz NOT NULL,
    opened_at       timestamptz NOT NULL,
    strict_due      timestamptz NOT NULL,
    citation        text NOT NULL,
    identity_method text,
    identity_ok     boolean,
    decided_at      timestamptz,
    refusal_ground  text NOT NULL DEFAULT '',
    closes_at       timestamptz,
    closed_at       timestamptz,
    erased_at       timestamptz,
    forget          boolean NOT NULL DEFAULT false,
    person          bytea,
    sealed_person   bytea,
    evidence_ref    text NOT NULL DEFAULT '',
    CHECK ((person IS NULL) = (sealed_person IS NULL)),
    CHECK ((decided_at IS NULL) = (state = 'OPEN')),
    CHECK ((closed_at IS NOT NULL) = (state = 'CLOSED'))
);
CREATE INDEX request_due ON request (strict_due, request_id);
CREATE INDEX request_unfinished_due ON request (strict_due, request_id) WHERE state IN ('OPEN', 'IN_PROGRESS');
CREATE INDEX request_person ON request (person) WHERE person IS NOT NULL;
CREATE INDEX request_closing ON request (closes_at) WHERE state = 'IN_PROGRESS' AND closes_at IS NOT NULL;

-- One ask to one holder, with the answer. The kind of holder is as it was when the request was taken up.
CREATE TABLE task (
    task_id              uuid PRIMARY KEY,
    request_id           uuid NOT NULL REFERENCES request,
    holder_id            text NOT NULL,
    holder_kind          text NOT NULL,
    attempts             integer NOT NULL CHECK (attempts >= 1),
    asked_at             timestamptz NOT NULL,
    ask_again_at         timestamptz,
    outcome              text CHECK (outcome IN ('DONE', 'NOTHING_HELD', 'RESTRICTED')),
    kinds                jsonb,
    completed_at         timestamptz,
    last_copy_expires_at timestamptz,
    restriction_basis    text NOT NULL DEFAULT '',
    restricted_until     timestamptz,
    UNIQUE (request_id, holder_id),
    CHECK ((outcome IS NULL) = (completed_at IS NULL)),
    CHECK ((outcome IS NULL) = (ask_again_at IS NOT NULL))
);
CREATE INDEX task_ask_again ON task (ask_again_at) WHERE ask_again_at IS NOT NULL;

-- The package of an access request, once every holder has answered. Its bytes are in a file named after the claim that
-- made it, sealed under a key of its own; only that key stands here, wrapped by the person's.
CREATE TABLE package (
    request_id    uuid PRIMARY KEY REFERENCES request,
    state         text NOT NULL CHECK (state IN ('PENDING', 'READY', 'GONE')),
    claim_id      uuid,
    claimed_until timestamptz,
    failures      integer NOT NULL DEFAULT 0,
    try_at        timestamptz NOT NULL,
    wrapped_key   bytea,
    made_at       timestamptz,
    expires_at    timestamptz,
    CHECK ((wrapped_key IS NOT NULL) = (state = 'READY')),
    CHECK (state <> 'READY' OR (claim_id IS NOT NULL AND made_at IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE INDEX package_pending ON package (try_at) WHERE state = 'PENDING';
CREATE INDEX package_file ON package (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX package_expiring ON package (expires_at) WHERE state = 'READY';
