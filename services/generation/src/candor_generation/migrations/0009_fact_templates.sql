-- What the facts of a batch have in common is kept once, beside its leaves, and not in every record.

-- The templates, each after its length of four bytes; empty where the leaves are not of generations.
ALTER TABLE addition ADD COLUMN templates bytea;
ALTER TABLE record
    -- Which of its addition's templates the record's fact is made of, from 0; the fact itself stands where it has none.
    ADD COLUMN template smallint,
    ALTER COLUMN fact DROP NOT NULL,
    ADD CONSTRAINT told CHECK (fact IS NOT NULL OR template IS NOT NULL);
