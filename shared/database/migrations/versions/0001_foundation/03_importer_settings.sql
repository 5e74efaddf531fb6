-- ── importer settings (S1–S8 and what the decisions D leave to a helpdesk) ─────────────────────────────────────────

CREATE TABLE importer_settings (
    helpdesk_id                bigint PRIMARY KEY REFERENCES helpdesks,
    enabled                    boolean NOT NULL DEFAULT false,
    kind                       text CHECK (kind IN ('maildir', 'imap', 'ews', 'graph')),
    username                   text,
    password_encrypted         bytea,
    password_is_set            boolean NOT NULL GENERATED ALWAYS AS (password_encrypted IS NOT NULL) STORED,
    server                     text,
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
    row_version                bigint NOT NULL DEFAULT 1,
    CONSTRAINT importer_on_keeps_its_status
        FOREIGN KEY (helpdesk_id, imported_status_id, imported_status_flag) REFERENCES statuses (helpdesk_id, id, flag),
    CONSTRAINT importer_on_needs_kind CHECK (NOT enabled OR kind IS NOT NULL),
    CONSTRAINT importer_on_needs_login CHECK (
        NOT enabled OR kind = 'maildir' OR (username IS NOT NULL AND password_encrypted IS NOT NULL)),
    CONSTRAINT importer_on_needs_maildir_path CHECK (NOT enabled OR kind <> 'maildir' OR server IS NOT NULL),
    CONSTRAINT importer_on_needs_default_contact CHECK (NOT enabled OR default_contact_id IS NOT NULL),
    CONSTRAINT importer_on_needs_default_employee CHECK (NOT enabled OR default_employee_id IS NOT NULL),
    CONSTRAINT importer_on_needs_imported_status CHECK (NOT enabled OR imported_status_id IS NOT NULL),
    CONSTRAINT move_needs_a_folder CHECK (after_import <> 'move' OR after_import_folder IS NOT NULL)
);
-- A folder on disk, an address, or, where no address is given, a login at a server: each belongs to one helpdesk.
CREATE UNIQUE INDEX a_maildir_belongs_to_one_helpdesk
    ON importer_settings (rtrim(server, '/'), folder) WHERE kind = 'maildir';
CREATE UNIQUE INDEX a_mailbox_belongs_to_one_helpdesk
    ON importer_settings (lower(mailbox_address), folder) WHERE kind <> 'maildir' AND mailbox_address IS NOT NULL;
CREATE UNIQUE INDEX a_login_belongs_to_one_helpdesk
    ON importer_settings (kind, lower(coalesce(server, '')), lower(username), folder)
    WHERE kind <> 'maildir' AND mailbox_address IS NULL AND username IS NOT NULL;

-- What the fetcher keeps of a mailbox: people decide the settings above, the fetcher writes only here.
CREATE TABLE mailbox_states (
    helpdesk_id              bigint PRIMARY KEY REFERENCES importer_settings ON DELETE CASCADE,
    last_successful_check_at timestamptz,
    last_check_at            timestamptz,
    next_check_at            timestamptz NOT NULL DEFAULT '-infinity',
    failed_checks            integer NOT NULL DEFAULT 0,
    problem                  text,
    problem_since            timestamptz,
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
    CONSTRAINT problem_has_a_beginning CHECK ((problem IS NULL) = (problem_since IS NULL)),
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
