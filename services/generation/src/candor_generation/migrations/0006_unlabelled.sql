-- Content delivered without an explicit label (Generative AI Labelling Measures 9). The purpose is sealed under the
-- subject's key; deliveries are held until retained_until, whoever asks for erasure.

CREATE TABLE unlabelled_application (
    application_id uuid PRIMARY KEY,
    subject        text NOT NULL,
    product        text NOT NULL,
    applied_at     timestamptz NOT NULL,
    duties_version text NOT NULL,
    granted_at     timestamptz,
    purpose        bytea
);
CREATE INDEX unlabelled_application_subject ON unlabelled_application (subject);

CREATE TABLE unlabelled_delivery (
    delivery_id    uuid PRIMARY KEY,
    application_id uuid NOT NULL REFERENCES unlabelled_application,
    generation_id  uuid NOT NULL,
    subject        text NOT NULL,
    product        text NOT NULL,
    duties_version text NOT NULL,
    delivered_at   timestamptz NOT NULL,
    retained_until timestamptz NOT NULL
);
CREATE INDEX unlabelled_delivery_subject ON unlabelled_delivery (subject, delivery_id);
CREATE INDEX unlabelled_delivery_application ON unlabelled_delivery (application_id);
CREATE INDEX unlabelled_delivery_retention ON unlabelled_delivery (retained_until);
