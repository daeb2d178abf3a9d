-- People's look at what screening would not simply allow. Nothing here is derived from a text but what the log's leaf
-- says too; notes and statements are sealed under the record's key, and erasing the record empties them.

CREATE TABLE review (
    generation_id    uuid PRIMARY KEY,
    machine_decision text NOT NULL,
    state            text NOT NULL,
    outcome          text,
    assignee         text NOT NULL,
    opened_at        timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    appealed_at      timestamptz,
    -- The user's, sealed.
    statement        bytea
);
-- The queue in its order: appeals, then blocks, then the oldest.
CREATE INDEX review_waiting
    ON review ((appealed_at IS NULL), (machine_decision <> 'BLOCK'), opened_at, generation_id)
    WHERE state IN ('open', 'release_proposed', 'appealed');

CREATE TABLE review_step (
    generation_id uuid NOT NULL,
    number        integer NOT NULL,
    by            text NOT NULL,
    outcome       text NOT NULL,
    reason        text NOT NULL,
    on_appeal     boolean NOT NULL,
    at            timestamptz NOT NULL,
    -- For colleagues, sealed.
    note          bytea,
    PRIMARY KEY (generation_id, number)
);
