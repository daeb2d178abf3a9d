-- People and channels: who stands in for whom, how a page gets through, how long an acknowledgement holds.

ALTER TABLE page DROP CONSTRAINT page_state_check;
ALTER TABLE page ADD CONSTRAINT page_state_check
    CHECK (state IN ('queued', 'sent', 'failed', 'expired', 'acknowledged', 'lapsed', 'cancelled'));
ALTER TABLE page ADD COLUMN channel text NOT NULL DEFAULT '';
ALTER TABLE page ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
ALTER TABLE page ADD COLUMN acknowledged_until timestamptz;
ALTER TABLE page ADD COLUMN schedule text NOT NULL DEFAULT '';
CREATE INDEX page_acknowledged_until ON page (acknowledged_until)
    WHERE state = 'acknowledged' AND acknowledged_until IS NOT NULL;

-- A page on its way by one channel of its contact. No address and no secret stands here: place is the channel's place
-- in the on-call file, channel its kind.
CREATE TABLE dispatch (
    page_id uuid NOT NULL REFERENCES page,
    place integer NOT NULL CHECK (place > 0),
    channel text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'taken', 'standing', 'refused', 'withdrawn', 'ending', 'ended')),
    tries integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL,
    leased_until timestamptz,
    provider_id text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    answered_at timestamptz,
    ends boolean NOT NULL DEFAULT false,
    PRIMARY KEY (page_id, place)
);
CREATE INDEX dispatch_due ON dispatch (not_before) WHERE state IN ('waiting', 'standing', 'ending');

-- Pages that were queued before there were dispatches.
INSERT INTO dispatch (page_id, place, channel, state, not_before)
    SELECT page_id, 1, '', 'waiting', not_before FROM page WHERE state = 'queued';

-- How much was sent by a channel of late. The name is a keyed digest of the channel's address.
CREATE TABLE channel_usage (
    channel bytea PRIMARY KEY,
    used timestamptz[] NOT NULL DEFAULT '{}',
    blocked_until timestamptz
);

CREATE TABLE oncall_override (
    override_id uuid PRIMARY KEY,
    schedule text NOT NULL,
    contact text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz,
    ended_by text NOT NULL DEFAULT '',
    CHECK (starts_at < ends_at)
);
CREATE INDEX oncall_override_ends ON oncall_override (ends_at);
