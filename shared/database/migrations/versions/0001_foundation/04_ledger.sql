-- ── blobs (DESIGN 4) ───────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE blobs (
    sha256     bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    byte_size  bigint NOT NULL CHECK (byte_size >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE blob_chunks (
    sha256   bytea NOT NULL REFERENCES blobs ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    content  bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 1048576),
    PRIMARY KEY (sha256, position)
);
ALTER TABLE blob_chunks ALTER COLUMN content SET STORAGE EXTERNAL;

-- ── the ledger (D7, DESIGN 1, 2) ───────────────────────────────────────────────────────────────────────────────────

CREATE TABLE imported_mails (
    mail_id             uuid PRIMARY KEY,
    helpdesk_id         bigint NOT NULL REFERENCES importer_settings,
    generation          integer NOT NULL,
    folder              text NOT NULL,
    item_key            text NOT NULL,
    force_number        integer NOT NULL DEFAULT 0 CHECK (force_number >= 0),
    forced_from         uuid REFERENCES imported_mails,
    choice              text CHECK (choice IN ('import', 'import-without-mails', 'mark-read')),
    replay_number       integer NOT NULL DEFAULT 0 CHECK (replay_number >= 0),
    raw_sha256          bytea NOT NULL REFERENCES blobs,
    raw_size            bigint NOT NULL CHECK (raw_size >= 0),
    full_size           bigint NOT NULL CHECK (full_size >= 0),
    complete            boolean NOT NULL DEFAULT true,
    received_at         timestamptz NOT NULL,
    fetched_at          timestamptz NOT NULL DEFAULT now(),
    published_at        timestamptz,
    marked_read_at      timestamptz,
    acted_at            timestamptz,
    republish_count     integer NOT NULL DEFAULT 0 CHECK (republish_count >= 0),
    next_republish_at   timestamptz,
    -- written by ticket_writer with the outcome
    outcome             text CHECK (outcome IN ('ticket', 'supplement', 'duplicate', 'quarantine')),
    outcome_at          timestamptz,
    decided_replay      integer,
    reasons             jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(reasons) = 'array'),
    message_id_header   text,
    sender_name         text,
    sender_address      text,
    subject             text,
    sent_at             timestamptz,
    content_key         bytea CHECK (octet_length(content_key) = 32),
    text_digest         bytea CHECK (octet_length(text_digest) = 32),
    content_key_version smallint,
    ticket_id           bigint,
    supplement_id       bigint,
    duplicate_of        uuid REFERENCES imported_mails CHECK (duplicate_of <> mail_id),
    classified_at       timestamptz,
    event_published_at  timestamptz,
    awaits_outcome      boolean NOT NULL GENERATED ALWAYS AS (
        outcome IS NULL OR (outcome = 'quarantine' AND replay_number > coalesce(decided_replay, 0))) STORED,
    UNIQUE (helpdesk_id, generation, folder, item_key, force_number),
    CONSTRAINT forced_has_an_origin CHECK ((force_number = 0) = (forced_from IS NULL)),
    CONSTRAINT outcome_has_a_time CHECK ((outcome IS NULL) = (outcome_at IS NULL)),
    CONSTRAINT decided_is_an_outcome CHECK (
        decided_replay IS NULL OR (outcome IS NOT NULL AND decided_replay BETWEEN 0 AND replay_number)),
    CONSTRAINT ticket_outcome_names_its_ticket CHECK (
        outcome IS DISTINCT FROM 'ticket' OR (ticket_id IS NOT NULL AND supplement_id IS NULL)),
    CONSTRAINT supplement_outcome_names_its_supplement CHECK (
        outcome IS DISTINCT FROM 'supplement' OR (ticket_id IS NOT NULL AND supplement_id IS NOT NULL)),
    CONSTRAINT duplicate_names_its_original CHECK (outcome IS DISTINCT FROM 'duplicate' OR duplicate_of IS NOT NULL),
    CONSTRAINT quarantine_has_a_reason CHECK (outcome IS DISTINCT FROM 'quarantine' OR jsonb_array_length(reasons) > 0),
    CONSTRAINT quarantine_has_no_ticket CHECK (outcome IS DISTINCT FROM 'quarantine' OR ticket_id IS NULL),
    CONSTRAINT no_outcome_no_ticket CHECK (outcome IS NOT NULL OR num_nonnulls(ticket_id, supplement_id, duplicate_of) = 0),
    CONSTRAINT supplement_has_a_ticket CHECK (supplement_id IS NULL OR ticket_id IS NOT NULL),
    CONSTRAINT content_key_is_whole CHECK (num_nonnulls(content_key, text_digest, content_key_version) IN (0, 3)),
    CONSTRAINT complete_mail_is_whole CHECK (NOT complete OR raw_size = full_size),
    CONSTRAINT raw_is_a_part CHECK (raw_size <= full_size)
);
-- Sweepers and the fetcher look for what is missing; those rows are few.
CREATE INDEX imported_mails_without_outcome ON imported_mails (next_republish_at NULLS FIRST) WHERE awaits_outcome;
CREATE INDEX imported_mails_unpublished ON imported_mails (helpdesk_id) WHERE published_at IS NULL;
CREATE INDEX imported_mails_not_marked_read ON imported_mails (helpdesk_id) WHERE marked_read_at IS NULL;
CREATE INDEX imported_mails_to_act_on ON imported_mails (helpdesk_id, received_at)
    WHERE acted_at IS NULL AND complete AND force_number = 0 AND outcome IN ('ticket', 'supplement', 'duplicate');
CREATE INDEX imported_mails_event_unpublished ON imported_mails (outcome_at)
    WHERE event_published_at IS NULL AND outcome IN ('ticket', 'supplement');
-- Screens and look-ups.
CREATE INDEX imported_mails_outcome ON imported_mails (helpdesk_id, outcome, received_at DESC);
CREATE INDEX imported_mails_received ON imported_mails (received_at DESC);
CREATE INDEX imported_mails_message_id ON imported_mails (message_id_header) WHERE message_id_header IS NOT NULL;
CREATE INDEX imported_mails_sender ON imported_mails (lower(sender_address)) WHERE sender_address IS NOT NULL;
-- Foreign keys that are followed backwards.
CREATE INDEX imported_mails_raw ON imported_mails (raw_sha256);
CREATE INDEX imported_mails_ticket ON imported_mails (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX imported_mails_forced_from ON imported_mails (forced_from) WHERE forced_from IS NOT NULL;
CREATE INDEX imported_mails_duplicate_of ON imported_mails (duplicate_of) WHERE duplicate_of IS NOT NULL;

-- Every blob is tied to the mails that need it (DESIGN 4): raw bytes, images, large bodies.
CREATE TABLE mail_blobs (
    -- deferred: the blob is stored first, the ledger's row after it, in one transaction
    mail_id uuid NOT NULL REFERENCES imported_mails ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    sha256  bytea NOT NULL REFERENCES blobs,
    PRIMARY KEY (mail_id, sha256)
);
CREATE INDEX mail_blobs_blob ON mail_blobs (sha256);

-- An outcome may be set once more by a replay; what it was before stays here (D7).
CREATE TABLE imported_mail_outcomes (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id       uuid NOT NULL REFERENCES imported_mails ON DELETE CASCADE,
    outcome       text NOT NULL CHECK (outcome IN ('ticket', 'supplement', 'duplicate', 'quarantine')),
    outcome_at    timestamptz NOT NULL,
    reasons       jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'array'),
    replaced_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX imported_mail_outcomes_mail ON imported_mail_outcomes (mail_id);

CREATE TABLE dead_letters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id     uuid NOT NULL REFERENCES imported_mails ON DELETE CASCADE,
    queue       text NOT NULL CHECK (btrim(queue) <> ''),
    reason      text NOT NULL CHECK (btrim(reason) <> ''),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz CHECK (resolved_at >= recorded_at)
);
CREATE UNIQUE INDEX one_open_dead_letter_per_queue ON dead_letters (mail_id, queue) WHERE resolved_at IS NULL;
CREATE INDEX dead_letters_open ON dead_letters (recorded_at) WHERE resolved_at IS NULL;

