CREATE TABLE toy (
    command_id text NOT NULL,
    purpose_id text NOT NULL
);
