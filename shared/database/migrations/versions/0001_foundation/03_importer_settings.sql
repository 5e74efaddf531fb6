-- ── importer settings (S1–S8 and what the decisions D leave to a helpdesk) ─────────────────────────────────────────

-- The kind that a person chose, else the one that «Server» and the login tell (S4, D9). Null: nothing tells one yet.
CREATE FUNCTION mailbox_kind(kind text, server text, username text, tenant text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN kind IS NOT NULL THEN kind
        WHEN server LIKE '/%' THEN 'maildir'
        WHEN server ~* '^imaps?://|^([a-z][a-z0-9+.-]*://)?imap[.]|^[^/]*:(143|993)/?$' THEN 'imap'
        WHEN tenant IS NOT NULL OR server ~* ('^([a-z][a-z0-9+.-]*://)?('
            || 'outlook[.]office(365)?[.]com|outlook(-dod)?[.]office365[.]us|partner[.]outlook[.]cn'
            || '|graph[.]microsoft[.](com|us)|dod-graph[.]microsoft[.]us|microsoftgraph[.]chinacloudapi[.]cn'
            || ')(:[0-9]+)?(/|$)') THEN 'graph'
        WHEN num_nonnulls(server, username) > 0 THEN 'ews'
    END
$$;

CREATE TABLE importer_settings (
    helpdesk_id                bigint PRIMARY KEY REFERENCES helpdesks,
    enabled                    boolean NOT NULL DEFAULT false,
    kind                       text CHECK (kind IN ('maildir', 'imap', 'ews', 'graph')),
    username                   text,
    password_encrypted         bytea,
    password_is_set            boolean NOT NULL GENERATED ALWAYS AS (password_encrypted IS NOT NULL) STORED,
    secret_expires_on          date,
    certificate_encrypted      bytea,
    certificate_is_set         boolean NOT NULL GENERATED ALWAYS AS (certificate_encrypted IS NOT NULL) STORED,
    certificate_expires_at     timestamptz,
    login_expires_at           timestamptz GENERATED ALWAYS AS (
                                   least(certificate_expires_at, secret_expires_on::timestamp AT TIME ZONE 'UTC')) STORED,
    tenant                     text CONSTRAINT tenant_is_an_id_or_a_domain CHECK (tenant ~ '^[A-Za-z0-9][A-Za-z0-9.-]*$'),
    cloud                      text NOT NULL DEFAULT 'global' CHECK (cloud IN ('global', 'us-gov', 'us-dod', 'china')),
    server                     text,
    ca_file                    text,
    allow_unencrypted          boolean NOT NULL DEFAULT false,
    impersonate                boolean NOT NULL DEFAULT false,
    mailbox_kind               text GENERATED ALWAYS AS (mailbox_kind(kind, server, username, tenant)) STORED,
    mailbox_address            text CONSTRAINT address_has_an_at CHECK (mailbox_address ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    folder                     text NOT NULL DEFAULT 'INBOX' CHECK (btrim(folder) <> ''),
    generation                 integer NOT NULL DEFAULT 1,
    default_contact_id         bigint REFERENCES persons,
    default_employee_id        bigint REFERENCES employees,
    marker                     text NOT NULL DEFAULT '',
    imported_status_id         bigint,
    imported_status_flag       text NOT NULL GENERATED ALWAYS AS ('imported') STORED,
    check_interval_seconds     integer NOT NULL DEFAULT 30 CHECK (check_interval_seconds BETWEEN 1 AND 86400),
    max_mail_bytes             bigint NOT NULL DEFAULT 50 * 1024 * 1024 CHECK (max_mail_bytes > 0),
    import_from                timestamptz,
    old_mail_days              integer NOT NULL DEFAULT 7 CHECK (old_mail_days > 0),
    backlog_limit              integer NOT NULL DEFAULT 200 CHECK (backlog_limit > 0),
    after_import               text NOT NULL DEFAULT 'mark-read' CHECK (after_import IN ('mark-read', 'move', 'delete')),
    after_import_folder        text,
    numbers_of                 text NOT NULL DEFAULT 'all' CHECK (numbers_of IN ('all', 'group')),
    own_list_ids               text[] NOT NULL DEFAULT '{}',
    trusted_authserv_ids       text[] NOT NULL DEFAULT '{}',
    follow_threads             boolean NOT NULL DEFAULT false,
    treat_employee_as_customer boolean NOT NULL DEFAULT false,
    confirm_to_employees       boolean NOT NULL DEFAULT false,
    hold_strangers             boolean NOT NULL DEFAULT false,
    reply_to_is_sender         boolean NOT NULL DEFAULT false,
    forwarded_sender           boolean NOT NULL DEFAULT false,
    organisation_by_domain     boolean NOT NULL DEFAULT false,
    new_ticket_after_days      integer CHECK (new_ticket_after_days > 0),
    trim_replies               boolean NOT NULL DEFAULT false,
    strip_image_metadata       boolean NOT NULL DEFAULT true,
    hide_signature_images      boolean NOT NULL DEFAULT true,
    row_version                bigint NOT NULL DEFAULT 1,
    CONSTRAINT importer_on_keeps_its_status
        FOREIGN KEY (helpdesk_id, imported_status_id, imported_status_flag) REFERENCES statuses (helpdesk_id, id, flag),
    CONSTRAINT password_or_certificate CHECK (num_nonnulls(password_encrypted, certificate_encrypted) <= 1),
    CONSTRAINT certificate_has_an_end CHECK ((certificate_encrypted IS NULL) = (certificate_expires_at IS NULL)),
    CONSTRAINT importer_on_needs_kind CHECK (NOT enabled OR mailbox_kind IS NOT NULL),
    CONSTRAINT importer_on_needs_login CHECK (NOT enabled OR mailbox_kind = 'maildir' OR (
        username IS NOT NULL AND num_nonnulls(password_encrypted, certificate_encrypted) = 1)),
    CONSTRAINT importer_on_needs_maildir_path CHECK (NOT enabled OR mailbox_kind <> 'maildir' OR server IS NOT NULL),
    CONSTRAINT importer_on_needs_tenant CHECK (NOT enabled OR mailbox_kind = 'maildir' OR tenant IS NOT NULL
        OR (mailbox_kind <> 'graph' AND certificate_encrypted IS NULL)),
    CONSTRAINT importer_on_needs_address CHECK (
        NOT enabled OR mailbox_kind = 'maildir' OR tenant IS NULL OR mailbox_address IS NOT NULL),
    CONSTRAINT importer_on_needs_default_contact CHECK (NOT enabled OR default_contact_id IS NOT NULL),
    CONSTRAINT importer_on_needs_default_employee CHECK (NOT enabled OR default_employee_id IS NOT NULL),
    CONSTRAINT importer_on_needs_imported_status CHECK (NOT enabled OR imported_status_id IS NOT NULL),
    CONSTRAINT move_needs_a_folder CHECK (after_import <> 'move' OR after_import_folder IS NOT NULL)
);
-- A folder on disk, an address (the login is one too), or a login without address at a server: each belongs to one
-- helpdesk, whatever the protocol.
CREATE UNIQUE INDEX a_maildir_belongs_to_one_helpdesk
    ON importer_settings (rtrim(server, '/'), folder) WHERE mailbox_kind = 'maildir';
CREATE UNIQUE INDEX a_mailbox_belongs_to_one_helpdesk
    ON importer_settings (lower(coalesce(mailbox_address, username)), folder)
    WHERE mailbox_kind <> 'maildir' AND coalesce(mailbox_address, username) LIKE '%@%';
CREATE UNIQUE INDEX a_login_belongs_to_one_helpdesk
    ON importer_settings (lower(coalesce(server, '')), lower(username), folder)
    WHERE mailbox_kind <> 'maildir' AND mailbox_address IS NULL AND username NOT LIKE '%@%';

-- What the fetcher keeps of a mailbox: people decide the settings above, the fetcher writes only here.
CREATE TABLE mailbox_states (
    helpdesk_id              bigint PRIMARY KEY REFERENCES importer_settings ON DELETE CASCADE,
    last_successful_check_at timestamptz,
    last_check_at            timestamptz,
    next_check_at            timestamptz NOT NULL DEFAULT '-infinity',
    failed_checks            integer NOT NULL DEFAULT 0,
    problem                  text,
    problem_kind             text,
    problem_since            timestamptz,
    refused_logins           integer NOT NULL DEFAULT 0,
    refused_since            timestamptz,
    login_rests_until        timestamptz,
    expiry_told_on           date,
    lease_holder             text,
    lease_until              timestamptz NOT NULL DEFAULT '-infinity',
    sync_state               jsonb,
    -- D18: the old mail that waits for a person, as the last check that went through found it; and his choice
    backlog_waiting          integer NOT NULL DEFAULT 0,
    backlog_oldest_at        timestamptz,
    backlog_newest_at        timestamptz,
    backlog_choice           text CHECK (backlog_choice IN ('import', 'import-without-mails', 'mark-read')),
    backlog_chosen_at        timestamptz,
    backlog_chosen_until     timestamptz,
    CONSTRAINT problem_is_whole CHECK (num_nonnulls(problem, problem_kind, problem_since) IN (0, 3)),
    CONSTRAINT refused_login_rests CHECK (CASE WHEN refused_logins = 0
        THEN num_nonnulls(refused_since, login_rests_until) = 0
        ELSE refused_logins > 0 AND num_nonnulls(refused_since, login_rests_until) = 2 END),
    CONSTRAINT failed_checks_are_counted CHECK (failed_checks >= 0),
    CONSTRAINT backlog_has_its_bounds CHECK (
        CASE WHEN backlog_waiting = 0 THEN num_nonnulls(backlog_oldest_at, backlog_newest_at) = 0
             ELSE backlog_waiting > 0 AND coalesce(backlog_oldest_at <= backlog_newest_at, false) END),
    CONSTRAINT backlog_choice_is_whole CHECK (
        num_nonnulls(backlog_choice, backlog_chosen_at, backlog_chosen_until) IN (0, 3))
);

-- ── senders that people block or let through (D17) ─────────────────────────────────────────────────────────────────

CREATE TABLE sender_rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    helpdesk_id bigint REFERENCES helpdesks,
    kind        text NOT NULL CHECK (kind IN ('address', 'domain', 'list')),
    pattern     text NOT NULL,
    verdict     text NOT NULL CHECK (verdict IN ('allow', 'allow-automatic', 'block')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sender_rule_is_unique UNIQUE NULLS NOT DISTINCT (kind, pattern, helpdesk_id),
    CONSTRAINT sender_pattern_is_of_its_kind CHECK (CASE kind
        WHEN 'address' THEN pattern ~ '^[^@[:space:]]+@[^@[:space:]]+$'
        WHEN 'domain' THEN pattern ~ '^[^@.[:space:]]+([.][^@.[:space:]]+)*$'
        ELSE pattern ~ '^[^<>[:space:]]+$' END),
    CONSTRAINT sender_pattern_is_folded CHECK (pattern = lower(pattern))
);
CREATE INDEX sender_rules_helpdesk ON sender_rules (helpdesk_id) WHERE helpdesk_id IS NOT NULL;
