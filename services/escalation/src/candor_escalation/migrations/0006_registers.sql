-- Registers: every version of every entry. Appended, never changed: the greatest version is how an entry is now.

CREATE TABLE register_entry (
    entry_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    register text NOT NULL,
    title text NOT NULL,
    product text NOT NULL,
    state text NOT NULL,
    fields jsonb NOT NULL,
    evidence_sha256 bytea NOT NULL,
    valid_until timestamptz,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    incident_id uuid REFERENCES incident,
    PRIMARY KEY (entry_id, version)
);
CREATE INDEX register_entry_latest ON register_entry (register, recorded_at DESC, entry_id DESC);
CREATE INDEX register_entry_runs_out ON register_entry (valid_until) WHERE valid_until IS NOT NULL;

-- Versions about which somebody was told that they run out: once each.
CREATE TABLE register_notice (
    entry_id uuid NOT NULL,
    version integer NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (entry_id, version),
    FOREIGN KEY (entry_id, version) REFERENCES register_entry
);
