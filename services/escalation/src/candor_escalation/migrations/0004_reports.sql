-- Reports with kinds, fields that can be compared, approvals, the file that was sent, and proposals not to report.

-- What a draft was made of, so that every file of it can be made again and two revisions be compared. A draft from before
-- this has its text only.
ALTER TABLE draft
    ADD COLUMN kind text NOT NULL DEFAULT 'first' CHECK (kind IN ('first', 'supplement', 'final')),
    ADD COLUMN template text NOT NULL DEFAULT '',
    ADD COLUMN fields jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN remark text NOT NULL DEFAULT '';

CREATE TABLE approval (
    clock_id uuid NOT NULL REFERENCES clock,
    revision integer NOT NULL,
    approved_by text NOT NULL,
    approved_at timestamptz NOT NULL,
    PRIMARY KEY (clock_id, revision)
);

-- Empty approved_by: sent without approval, for the reason given. A submission from before this has neither.
ALTER TABLE submission
    ADD COLUMN media_type text NOT NULL DEFAULT 'text/plain',
    ADD COLUMN approved_by text NOT NULL DEFAULT '',
    ADD COLUMN unapproved_reason text NOT NULL DEFAULT '';

-- Exactly what was sent: its digest on record stays checkable whatever becomes of templates and typesetters.
CREATE TABLE sent_file (
    submission_id uuid PRIMARY KEY REFERENCES submission,
    file_name text NOT NULL,
    content bytea NOT NULL
);

ALTER TABLE receipt
    ADD COLUMN proof_size bigint NOT NULL DEFAULT 0,
    ADD COLUMN proof_media_type text NOT NULL DEFAULT '';

-- Appended, never changed: the latest of a clock is what can be approved.
CREATE TABLE proposal (
    proposal_id uuid PRIMARY KEY,
    clock_id uuid NOT NULL REFERENCES clock,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    asked text NOT NULL
);
CREATE INDEX proposal_clock ON proposal (clock_id, proposal_id);
