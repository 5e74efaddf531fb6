-- ── what hangs on tickets and supplements ──────────────────────────────────────────────────────────────────────────

CREATE TABLE ticket_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id     bigint NOT NULL REFERENCES tickets ON DELETE CASCADE,
    supplement_id bigint,
    at            timestamptz NOT NULL DEFAULT now(),
    kind          text NOT NULL CHECK (kind IN (
                      'created', 'supplemented', 'status-changed', 'deadline-changed', 'reopened',
                      'attachments-left-out', 'note', 'changed')),
    description   text NOT NULL CHECK (btrim(description) <> ''),
    details       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    employee_id   bigint REFERENCES employees,
    person_id     bigint REFERENCES persons,
    mail_id       uuid REFERENCES imported_mails,
    FOREIGN KEY (ticket_id, supplement_id) REFERENCES supplements (ticket_id, id),
    CONSTRAINT one_author_at_most CHECK (num_nonnulls(employee_id, person_id) <= 1)
);
CREATE INDEX ticket_history_ticket ON ticket_history (ticket_id, at, id);

CREATE TABLE attachments (
    id              uuid PRIMARY KEY,
    ticket_id       bigint NOT NULL REFERENCES tickets ON DELETE CASCADE,
    supplement_id   bigint,
    mail_id         uuid REFERENCES imported_mails,
    position        integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    name            text NOT NULL,
    media_type      text NOT NULL,
    byte_size       bigint NOT NULL CHECK (byte_size >= 0),
    width           integer CHECK (width > 0),
    height          integer CHECK (height > 0),
    inline          boolean NOT NULL DEFAULT false,
    content_id      text,
    blob_sha256     bytea REFERENCES blobs,
    left_out_reason text CHECK (btrim(left_out_reason) <> ''),
    decoration      text CHECK (decoration IN ('tracking', 'logo')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (ticket_id, supplement_id) REFERENCES supplements (ticket_id, id),
    CONSTRAINT decoration_is_stored CHECK (decoration IS NULL OR blob_sha256 IS NOT NULL),
    CONSTRAINT stored_or_left_out CHECK (num_nonnulls(blob_sha256, left_out_reason) = 1),
    -- the allow-list of D4: SVG is no raster image and is never stored
    CONSTRAINT stored_is_an_image CHECK (
        blob_sha256 IS NULL
        OR (media_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/tiff', 'image/heic', 'image/heif')
            AND width IS NOT NULL AND height IS NOT NULL)),
    -- a stored image of a mail is tied to that mail, so that its blob is never removed from under it (DESIGN 4)
    FOREIGN KEY (mail_id, blob_sha256) REFERENCES mail_blobs (mail_id, sha256)
);
CREATE INDEX attachments_ticket ON attachments (ticket_id, supplement_id, position);
CREATE INDEX attachments_blob ON attachments (blob_sha256) WHERE blob_sha256 IS NOT NULL;
CREATE INDEX attachments_mail ON attachments (mail_id, blob_sha256) WHERE mail_id IS NOT NULL;

-- What browsers show in place of an image that they do not (D4).
CREATE TABLE attachment_copies (
    attachment_id uuid NOT NULL REFERENCES attachments ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('rendition', 'thumbnail')),
    mail_id       uuid NOT NULL REFERENCES imported_mails,
    media_type    text NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg')),
    width         integer NOT NULL CHECK (width > 0),
    height        integer NOT NULL CHECK (height > 0),
    byte_size     bigint NOT NULL CHECK (byte_size > 0),
    blob_sha256   bytea NOT NULL REFERENCES blobs,
    PRIMARY KEY (attachment_id, kind),
    FOREIGN KEY (mail_id, blob_sha256) REFERENCES mail_blobs (mail_id, sha256)
);
CREATE INDEX attachment_copies_blob ON attachment_copies (blob_sha256);
CREATE INDEX attachment_copies_mail ON attachment_copies (mail_id, blob_sha256);

-- Identity of content (D13): claimed by tickets and supplements alone. Forced imports claim nothing.
CREATE TABLE content_keys (
    helpdesk_id bigint NOT NULL REFERENCES importer_settings,
    content_key bytea NOT NULL CHECK (octet_length(content_key) = 32),
    text_digest bytea NOT NULL CHECK (octet_length(text_digest) = 32),
    mail_id     uuid NOT NULL UNIQUE REFERENCES imported_mails,
    ticket_id   bigint NOT NULL REFERENCES tickets,
    PRIMARY KEY (helpdesk_id, content_key, text_digest),
    CONSTRAINT a_ticket_takes_a_content_once UNIQUE (ticket_id, content_key, text_digest)
);
CREATE INDEX content_keys_content ON content_keys (content_key, text_digest);

