-- Corrections, disputes and contradictions; questions to the duty officer; the history of every clock; evidence that is
-- held in the generation service; what outside systems repeat; requests of persons that may run over time.

ALTER TABLE incident
    ADD COLUMN closed_by text NOT NULL DEFAULT '',
    ADD COLUMN close_reason text NOT NULL DEFAULT '';

-- The digest of what a source said last of an incident: a repeat of it is counted and changes nothing.
CREATE TABLE incident_source (
    incident_id uuid NOT NULL REFERENCES incident,
    source text NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (incident_id, source)
);

CREATE INDEX signal_reference ON signal (reference) WHERE reference <> '';

-- A fact with a reason settles what any source said of it before; without one, sources stand beside each other.
ALTER TABLE fact ADD COLUMN reason text NOT NULL DEFAULT '';

-- Appended, never changed. A correction replaces what was said before it; else the earliest instant of a name stands.
ALTER TABLE anchor
    ADD COLUMN act text NOT NULL DEFAULT 'report' CHECK (act IN ('report', 'correction', 'dispute')),
    ADD COLUMN reason text NOT NULL DEFAULT '';

ALTER TABLE clock
    ADD COLUMN disputed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN anchor_disputed boolean NOT NULL DEFAULT false,
    ADD COLUMN anchor_provisional boolean NOT NULL DEFAULT false,
    ADD COLUMN occurrence integer NOT NULL DEFAULT 1 CHECK (occurrence > 0),
    DROP CONSTRAINT clock_state_check,
    ADD CONSTRAINT clock_state_check CHECK (state IN ('running', 'receipted', 'not_reported', 'fallen')),
    DROP CONSTRAINT clock_incident_id_pack_id_obligation_id_anchor_key_key,
    ADD CONSTRAINT clock_duty_key UNIQUE (incident_id, pack_id, obligation_id, anchor_key, occurrence);
CREATE INDEX clock_running ON clock (incident_id) WHERE state = 'running';

-- Appended, never changed: what a clock was counted from, and what became of it.
CREATE TABLE clock_revision (
    revision_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clock_id uuid NOT NULL REFERENCES clock,
    incident_id uuid NOT NULL REFERENCES incident,
    revision integer NOT NULL,
    cause text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    anchor_name text NOT NULL,
    anchor_at timestamptz NOT NULL,
    anchor_evidence text NOT NULL,
    strict_due timestamptz NOT NULL,
    legal_latest timestamptz,
    provisional boolean NOT NULL,
    pack_version text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
CREATE INDEX clock_revision_incident ON clock_revision (incident_id, revision_number);
INSERT INTO clock_revision (clock_id, incident_id, revision, cause, reason, state, anchor_name, anchor_at,
    anchor_evidence, strict_due, legal_latest, provisional, pack_version, changed_at, changed_by)
SELECT clock_id, incident_id, revision, 'started', '', state, anchor_name, anchor_at, anchor_evidence, strict_due,
    legal_latest, provisional, pack_version, started_at, ''
FROM clock;

CREATE TABLE question (
    question_id uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    kind text NOT NULL CHECK (kind IN ('fact', 'contradiction', 'anchor', 'dispute', 'triage')),
    name text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'answered', 'lapsed')),
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    answered_by text NOT NULL DEFAULT '',
    CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE UNIQUE INDEX question_open ON question (incident_id, kind, name) WHERE state = 'open';
CREATE INDEX question_asked ON question (asked_at, question_id);
CREATE INDEX question_incident ON question (incident_id);

-- What an outside system reports under an id of its own, once however often it repeats it.
CREATE TABLE intake_signal (
    digest bytea PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times bigint NOT NULL CHECK (times > 0),
    resolved_at timestamptz
);
CREATE INDEX intake_signal_incident ON intake_signal (incident_id);

-- One legal hold per incident over the generations that are its evidence: asked for until generation has answered.
CREATE TABLE evidence_hold (
    incident_id uuid PRIMARY KEY REFERENCES incident,
    hold_id uuid NOT NULL,
    -- How long generation holds it so far; absent until it has answered once.
    held_until timestamptz,
    -- When it is to be released: the incident is closed, and the law asks for the records no longer.
    release_at timestamptz,
    released_at timestamptz,
    due_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0
);
CREATE INDEX evidence_hold_due ON evidence_hold (due_at) WHERE released_at IS NULL;
CREATE TABLE evidence (
    incident_id uuid NOT NULL REFERENCES incident,
    generation_id uuid NOT NULL,
    held boolean NOT NULL DEFAULT false,
    -- What a person decided about it; absent until then.
    upheld boolean,
    PRIMARY KEY (incident_id, generation_id)
);
CREATE INDEX evidence_waiting ON evidence (incident_id) WHERE NOT held;
CREATE INDEX evidence_generation ON evidence (generation_id);

-- A request of a person to the rights service that is not answered yet. Whose it is, is not known here.
CREATE TABLE awaited_request (
    request_id uuid PRIMARY KEY,
    person_right text NOT NULL,
    regime text NOT NULL,
    strict_due timestamptz NOT NULL,
    done boolean NOT NULL DEFAULT false,
    overdue boolean NOT NULL DEFAULT false,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX awaited_request_due ON awaited_request (strict_due) WHERE NOT done AND NOT overdue;
