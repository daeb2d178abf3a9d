-- Models that an authority ordered to be deleted, and what their holders answered.
CREATE TABLE model_deletion (
    order_id              uuid PRIMARY KEY,
    incident_id           text NOT NULL,
    holder_id             text NOT NULL,
    holder_kind           text NOT NULL,
    ordered_at            timestamptz NOT NULL,
    attempts              integer NOT NULL CHECK (attempts > 0),
    asked_at              timestamptz NOT NULL,
    ask_again_at          timestamptz,
    outcome               text CHECK (outcome IN ('DONE', 'NOTHING_HELD', 'RESTRICTED')),
    kinds                 jsonb,
    completed_at          timestamptz,
    last_copy_expires_at  timestamptz,
    restriction_basis     text,
    restricted_until      timestamptz,
    CHECK ((outcome IS NULL) = (ask_again_at IS NOT NULL))
);
CREATE INDEX model_deletion_unanswered ON model_deletion (ask_again_at) WHERE ask_again_at IS NOT NULL;
