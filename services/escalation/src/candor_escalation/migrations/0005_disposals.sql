-- What is done about content and accounts, who was asked to do it, what the user was told, and what became of complaints.

-- Whom it is about and what happened is sealed under a random key, which the person's key wraps; where there is no person,
-- or the law keeps the record of one who is erased, a key of the record's own (a hold's) wraps it.
CREATE TABLE disposal (
    disposal_id uuid PRIMARY KEY,
    measure text NOT NULL CHECK (measure IN (
        'stop_generation', 'stop_transmission', 'remove', 'warn', 'limit_functions', 'suspend_service', 'close_account')),
    state text NOT NULL CHECK (state IN ('in_force', 'ended', 'reversed')),
    product text NOT NULL,
    generation_id uuid,
    model text NOT NULL,
    of_person boolean NOT NULL,
    functions text[] NOT NULL,
    until timestamptz,
    legal_basis text NOT NULL,
    automated_detection boolean NOT NULL,
    notice_source text NOT NULL,
    exemption text NOT NULL,
    category text NOT NULL,
    decision_ground text NOT NULL,
    automated_decision text NOT NULL,
    incident_id uuid REFERENCES incident,
    proposal_id uuid,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    ended_at timestamptz,
    restricted_until timestamptz,
    pseudonym bytea,
    wrapped_by text CHECK (wrapped_by IN ('subject', 'hold')),
    wrapped_key bytea,
    sealed bytea,
    CHECK ((state = 'in_force') = (ended_at IS NULL)),
    CHECK ((wrapped_key IS NULL) = (wrapped_by IS NULL)),
    CHECK ((sealed IS NULL) = (wrapped_key IS NULL)),
    CHECK (wrapped_by IS DISTINCT FROM 'subject' OR pseudonym IS NOT NULL)
);
CREATE INDEX disposal_latest ON disposal (decided_at DESC, disposal_id DESC);
CREATE INDEX disposal_person ON disposal (pseudonym) WHERE pseudonym IS NOT NULL;
CREATE INDEX disposal_term ON disposal (until) WHERE state = 'in_force' AND until IS NOT NULL;
CREATE INDEX disposal_restricted ON disposal (restricted_until) WHERE restricted_until IS NOT NULL AND sealed IS NOT NULL;

-- What the user is told, both languages sealed under the disposal's key.
CREATE TABLE disposal_statement (
    statement_id uuid PRIMARY KEY,
    disposal_id uuid NOT NULL REFERENCES disposal,
    kind text NOT NULL CHECK (kind IN ('reasons', 'complaint')),
    made_at timestamptz NOT NULL,
    sealed bytea
);
CREATE INDEX disposal_statement_disposal ON disposal_statement (disposal_id);

CREATE TABLE disposal_ask (
    ask_id uuid PRIMARY KEY,
    disposal_id uuid NOT NULL REFERENCES disposal,
    act text NOT NULL CHECK (act IN ('apply', 'lift', 'deliver_statement')),
    statement_id uuid REFERENCES disposal_statement,
    state text NOT NULL CHECK (state IN ('waiting', 'carried_out', 'could_not', 'withdrawn')),
    attempts integer NOT NULL CHECK (attempts > 0),
    asked_at timestamptz NOT NULL,
    ask_again_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    overdue boolean NOT NULL DEFAULT false,
    answered_at timestamptz,
    evidence text NOT NULL DEFAULT ''
);
CREATE INDEX disposal_ask_disposal ON disposal_ask (disposal_id);
CREATE INDEX disposal_ask_again ON disposal_ask (ask_again_at) WHERE state = 'waiting';
CREATE INDEX disposal_ask_late ON disposal_ask (answer_by) WHERE state = 'waiting' AND NOT overdue;
CREATE INDEX disposal_ask_attention ON disposal_ask (disposal_id) WHERE state = 'could_not' OR (state = 'waiting' AND overdue);

CREATE TABLE complaint (
    complaint_id uuid PRIMARY KEY,
    disposal_id uuid NOT NULL UNIQUE REFERENCES disposal,
    filed_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'upheld', 'reversed')),
    decided_by text NOT NULL DEFAULT '',
    decided_at timestamptz,
    manifestly_unfounded boolean NOT NULL DEFAULT false,
    sealed bytea,
    sealed_reasons bytea,
    CHECK ((outcome = '') = (decided_at IS NULL))
);
CREATE INDEX complaint_open ON complaint (answer_by) WHERE outcome = '';
CREATE INDEX complaint_filed ON complaint (filed_at);

CREATE TABLE out_of_court (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    disposal_id uuid NOT NULL REFERENCES disposal,
    body text NOT NULL,
    reference text NOT NULL,
    finding text NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX out_of_court_disposal ON out_of_court (disposal_id);

CREATE TABLE unfounded_notice (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pseudonym bytea NOT NULL,
    reference text NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX unfounded_notice_person ON unfounded_notice (pseudonym);

CREATE TABLE disposal_proposal (
    proposal_id uuid PRIMARY KEY,
    generation_id uuid NOT NULL UNIQUE,
    product text NOT NULL,
    categories text[] NOT NULL,
    disposal text NOT NULL,
    sanction text NOT NULL,
    proposed_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'followed', 'dismissed')),
    settled_by text NOT NULL DEFAULT '',
    settled_at timestamptz,
    pseudonym bytea
);
CREATE INDEX disposal_proposal_open ON disposal_proposal (proposed_at) WHERE state = 'open';
CREATE INDEX disposal_proposal_person ON disposal_proposal (pseudonym) WHERE pseudonym IS NOT NULL;

-- The queue to the DSA Transparency Database; its body is public and holds no personal data.
CREATE TABLE public_statement (
    disposal_id uuid PRIMARY KEY REFERENCES disposal,
    body jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'received', 'refused')),
    queued_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL,
    uuid text NOT NULL DEFAULT '',
    permalink text NOT NULL DEFAULT '',
    received_at timestamptz,
    last_error text NOT NULL DEFAULT '',
    CHECK ((state = 'received') = (received_at IS NOT NULL))
);
CREATE INDEX public_statement_queued ON public_statement (not_before) WHERE state = 'queued';
