-- Which facts tell of an incident, in order: each is a leaf of the log of compliance acts under its id.
-- What a fact says is kept without the subject, so that no row names a person.

CREATE TABLE act (
    act_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No reference: that a fact names an incident must never be what keeps it from being published.
    incident_id uuid NOT NULL,
    fact_id uuid NOT NULL,
    type text NOT NULL,
    value bytea NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX act_incident ON act (incident_id, act_number);
