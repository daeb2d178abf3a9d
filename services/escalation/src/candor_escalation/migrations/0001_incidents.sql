-- Incidents, what is known of them, the legal clocks under way, the pages they cause and the reports they end in.
-- No subject of a generation is stored here.

CREATE TABLE incident (
    incident_id uuid PRIMARY KEY,
    kind text NOT NULL,
    title text NOT NULL,
    correlation_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    signals integer NOT NULL CHECK (signals > 0)
);
-- Signals of one kind with the same key are one incident while it is open.
CREATE UNIQUE INDEX incident_open_key ON incident (kind, correlation_key) WHERE state = 'open' AND correlation_key <> '';
CREATE INDEX incident_latest ON incident (opened_at DESC, incident_id DESC);

CREATE TABLE signal (
    signal_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    source text NOT NULL,
    reference text NOT NULL
);
CREATE INDEX signal_incident ON signal (incident_id);

-- Appended, never changed: the latest row of a name is what is known now.
CREATE TABLE fact (
    fact_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    name text NOT NULL,
    value jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    source text NOT NULL
);
CREATE INDEX fact_incident ON fact (incident_id, fact_number);

-- Appended, never changed: the earliest instant of a name is what a clock counts from.
CREATE TABLE anchor (
    anchor_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    name text NOT NULL,
    at timestamptz NOT NULL,
    evidence text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    source text NOT NULL
);
CREATE INDEX anchor_incident ON anchor (incident_id, anchor_number);

CREATE TABLE clock (
    clock_id uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    pack_id text NOT NULL,
    pack_version text NOT NULL,
    obligation_id text NOT NULL,
    -- The anchor's name in the pack; anchor_name is the one it was reported under.
    anchor_key text NOT NULL,
    citation text NOT NULL,
    recipient text NOT NULL,
    missing text[] NOT NULL,
    legal_number boolean NOT NULL,
    anchor_name text NOT NULL,
    anchor_at timestamptz NOT NULL,
    anchor_evidence text NOT NULL,
    strict_due timestamptz NOT NULL,
    legal_latest timestamptz,
    provisional boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'receipted', 'not_reported')),
    revision integer NOT NULL CHECK (revision > 0),
    started_at timestamptz NOT NULL,
    stopped_at timestamptz,
    UNIQUE (incident_id, pack_id, obligation_id, anchor_key),
    CHECK ((state = 'running') = (stopped_at IS NULL))
);
CREATE INDEX clock_due ON clock (strict_due, clock_id);

CREATE TABLE milestone (
    clock_id uuid NOT NULL REFERENCES clock,
    kind text NOT NULL,
    revision integer NOT NULL,
    incident_id uuid NOT NULL REFERENCES incident,
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'reached', 'cancelled')),
    reached_at timestamptz,
    PRIMARY KEY (clock_id, kind, revision),
    CHECK ((state = 'reached') = (reached_at IS NOT NULL))
);
CREATE INDEX milestone_pending ON milestone (due_at) WHERE state = 'pending';

CREATE TABLE page (
    page_id uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    clock_id uuid NOT NULL REFERENCES clock,
    cause text NOT NULL,
    contact text NOT NULL,
    level integer NOT NULL CHECK (level > 0),
    round integer NOT NULL CHECK (round > 0),
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'expired', 'acknowledged', 'cancelled')),
    not_before timestamptz NOT NULL,
    leased_until timestamptz,
    sent_at timestamptz,
    delivered boolean NOT NULL DEFAULT false,
    provider_answer text NOT NULL DEFAULT '',
    answer_by timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text NOT NULL DEFAULT ''
);
CREATE INDEX page_clock ON page (clock_id);
CREATE INDEX page_incident ON page (incident_id);
CREATE INDEX page_queued ON page (not_before) WHERE state = 'queued';
CREATE INDEX page_unanswered ON page (answer_by) WHERE state = 'sent';

CREATE TABLE draft (
    clock_id uuid NOT NULL REFERENCES clock,
    revision integer NOT NULL CHECK (revision > 0),
    locale text NOT NULL,
    text text NOT NULL,
    missing text[] NOT NULL,
    sha256 bytea NOT NULL,
    drafted_at timestamptz NOT NULL,
    drafted_by text NOT NULL,
    PRIMARY KEY (clock_id, revision, locale)
);

CREATE TABLE submission (
    submission_id uuid PRIMARY KEY,
    clock_id uuid NOT NULL REFERENCES clock,
    revision integer NOT NULL,
    locale text NOT NULL,
    channel text NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    sha256 bytea NOT NULL,
    FOREIGN KEY (clock_id, revision, locale) REFERENCES draft
);
CREATE INDEX submission_clock ON submission (clock_id);

CREATE TABLE receipt (
    submission_id uuid PRIMARY KEY REFERENCES submission,
    reference text NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    proof_sha256 bytea NOT NULL
);

CREATE TABLE decision (
    clock_id uuid PRIMARY KEY REFERENCES clock,
    reason text NOT NULL,
    decided_by text NOT NULL,
    approved_by text NOT NULL,
    decided_at timestamptz NOT NULL
);
