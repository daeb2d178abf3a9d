-- The service's own key-encryption keys, each wrapped by the master key. The newest wraps; older ones only unwrap, and
-- are emptied once nothing is wrapped by them. Version 0 is a master key that wrapped subjects' keys itself.
CREATE TABLE kit_key_ring (
    version    integer PRIMARY KEY,
    master     text NOT NULL,
    wrapped    bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CHECK ((wrapped IS NULL) = (retired_at IS NOT NULL))
);

-- What pseudonyms, command digests and links are derived from. It outlives every rotation.
CREATE TABLE kit_root_secret (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version  integer NOT NULL,
    wrapped  bytea NOT NULL
);

-- Which version of the ring wraps a key. Holds keep their keys here as well, under pseudonyms of their own.
ALTER TABLE kit_subject_key ADD COLUMN version integer NOT NULL DEFAULT 0;
ALTER TABLE kit_subject_key ALTER COLUMN version DROP DEFAULT;

-- Erasures in the order of their commits, so that a process that remembers keys learns which of them to forget.
CREATE SEQUENCE kit_erasure_number;
SELECT setval('kit_erasure_number', 1);
ALTER TABLE kit_erased_subject ADD COLUMN number bigint NOT NULL DEFAULT 1;
ALTER TABLE kit_erased_subject ALTER COLUMN number DROP DEFAULT;
CREATE INDEX kit_erased_subject_number ON kit_erased_subject (number);
