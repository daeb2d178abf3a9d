-- Drills: incidents in which nothing has happened. A drill has no correlation key, so no signal is read into it.

ALTER TABLE incident ADD COLUMN drill boolean NOT NULL DEFAULT false;

-- What a draft was made of says whether it is of a drill, so that every file of it is marked, whenever it is made again.
ALTER TABLE draft ADD COLUMN drill boolean NOT NULL DEFAULT false;

CREATE TABLE drill (
    incident_id uuid PRIMARY KEY REFERENCES incident,
    scenario text NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    -- Its result in the register; absent while it runs.
    entry_id uuid
);
CREATE INDEX drill_latest ON drill (started_at DESC, incident_id DESC);
ALTER TABLE incident ADD CONSTRAINT incident_drill_apart CHECK (NOT drill OR correlation_key = '');
