-- Notices of content that somebody holds to be unlawful, what paging providers tell, and asks that on-call is paged about.

-- Who gave it, why and where is sealed under a random key of its own, which that person's key wraps; where nobody is
-- named, or the law keeps the record of one who is erased, a key of the record's own (a hold's) wraps it.
CREATE TABLE content_notice (
    notice_id uuid PRIMARY KEY,
    product text NOT NULL,
    forms text[] NOT NULL CHECK (cardinality(forms) > 0),
    category text NOT NULL,
    generation_id uuid,
    content text NOT NULL CHECK (content IN ('', 'unchecked', 'known', 'unknown', 'erased')),
    looks integer NOT NULL DEFAULT 0,
    look_at timestamptz,
    reference text NOT NULL,
    trusted_flagger boolean NOT NULL,
    contact_held boolean NOT NULL,
    signed boolean NOT NULL,
    good_faith boolean NOT NULL,
    received_at timestamptz NOT NULL,
    incident_ids uuid[] NOT NULL,
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'acted', 'not_acted')),
    basis text NOT NULL DEFAULT '' CHECK (basis IN ('', 'law', 'terms')),
    automated_means boolean NOT NULL DEFAULT false,
    manifestly_unfounded boolean NOT NULL DEFAULT false,
    decided_by text NOT NULL DEFAULT '',
    decided_at timestamptz,
    confirmed_at timestamptz,
    answered_at timestamptz,
    restricted_until timestamptz,
    pseudonym bytea,
    wrapped_by text CHECK (wrapped_by IN ('subject', 'hold')),
    wrapped_key bytea,
    sealed bytea,
    sealed_reasons bytea,
    CHECK ((generation_id IS NULL) = (content = '')),
    CHECK ((outcome = '') = (decided_at IS NULL)),
    CHECK ((outcome = 'acted') = (basis <> '')),
    CHECK ((wrapped_key IS NULL) = (wrapped_by IS NULL)),
    CHECK ((sealed IS NULL) = (wrapped_key IS NULL)),
    CHECK (wrapped_by IS DISTINCT FROM 'subject' OR pseudonym IS NOT NULL)
);
CREATE INDEX content_notice_open ON content_notice (trusted_flagger DESC, received_at, notice_id) WHERE outcome = '';
CREATE INDEX content_notice_received ON content_notice (received_at);
CREATE INDEX content_notice_person ON content_notice (pseudonym) WHERE pseudonym IS NOT NULL;
CREATE INDEX content_notice_look ON content_notice (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX content_notice_restricted ON content_notice (restricted_until)
    WHERE restricted_until IS NOT NULL AND sealed IS NOT NULL;

ALTER TABLE disposal ADD COLUMN notice_id uuid REFERENCES content_notice;
CREATE INDEX disposal_notice ON disposal (notice_id) WHERE notice_id IS NOT NULL;

-- What a provider told about a page, once for each of its events.
CREATE TABLE page_event (
    provider text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    page_id uuid REFERENCES page,
    agent text NOT NULL,
    occurred_at timestamptz NOT NULL,
    taken_at timestamptz NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX page_event_page ON page_event (page_id) WHERE page_id IS NOT NULL;
