-- ── what needs a person is told to people, once, and again when it ends ────────────────────────────────────────────
-- Written by the watch (helpdesk-importer watch, or run), in the role of the command line. No older version knows them.

CREATE TABLE helpdesk_administrators (
    helpdesk_id bigint NOT NULL REFERENCES helpdesks ON DELETE CASCADE,
    employee_id bigint NOT NULL REFERENCES employees ON DELETE CASCADE,
    PRIMARY KEY (helpdesk_id, employee_id)
);
COMMENT ON TABLE helpdesk_administrators IS '«Beheerders» of a helpdesk: who is told of its alarms and gets its digest.';
COMMENT ON COLUMN helpdesk_administrators.helpdesk_id IS 'The helpdesk.';
COMMENT ON COLUMN helpdesk_administrators.employee_id IS 'The employee; mails go to the first of his addresses.';

CREATE TABLE alarms (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause         text NOT NULL CHECK (btrim(cause) <> ''),
    key           text NOT NULL,
    helpdesks     text[] NOT NULL DEFAULT '{}',
    english       text NOT NULL,
    dutch         text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    CONSTRAINT seen_in_order CHECK (first_seen_at <= last_seen_at),
    CONSTRAINT ended_after_it_was_seen CHECK (ended_at >= last_seen_at)
);
CREATE UNIQUE INDEX one_open_alarm_of_a_cause ON alarms (cause, key) WHERE ended_at IS NULL;
COMMENT ON TABLE alarms IS 'What needed a person, one row a cause, from when it was first seen until it ended.';
COMMENT ON COLUMN alarms.id IS 'Identity, given by the database.';
COMMENT ON COLUMN alarms.cause IS 'Its kind (shared.standing.needs.Cause).';
COMMENT ON COLUMN alarms.key IS 'Which one of that kind: a server, a queue, a helpdesk; empty: there is but one.';
COMMENT ON COLUMN alarms.helpdesks IS 'Names of the helpdesks concerned; none: the whole installation.';
COMMENT ON COLUMN alarms.english IS 'What status said of it last.';
COMMENT ON COLUMN alarms.dutch IS 'The same in Dutch.';
COMMENT ON COLUMN alarms.first_seen_at IS 'When the watch first saw it.';
COMMENT ON COLUMN alarms.last_seen_at IS 'When the watch last saw it.';
COMMENT ON COLUMN alarms.ended_at IS 'When it was no longer seen; null: it goes on.';

CREATE TABLE alarm_tellings (
    alarm_id      bigint NOT NULL REFERENCES alarms ON DELETE CASCADE,
    event         text NOT NULL CHECK (event IN ('began', 'ended')),
    channel       text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    claimed_until timestamptz,
    told_at       timestamptz,
    PRIMARY KEY (alarm_id, event, channel)
);
CREATE INDEX alarm_tellings_open ON alarm_tellings (alarm_id) WHERE told_at IS NULL;
COMMENT ON TABLE alarm_tellings IS 'That an alarm began or ended, told by one channel; two that watch share these and tell it once.';
COMMENT ON COLUMN alarm_tellings.alarm_id IS 'The alarm.';
COMMENT ON COLUMN alarm_tellings.event IS 'What is told of it.';
COMMENT ON COLUMN alarm_tellings.channel IS 'By what.';
COMMENT ON COLUMN alarm_tellings.claimed_until IS 'Until when one watch has it in hand; null: none.';
COMMENT ON COLUMN alarm_tellings.told_at IS 'When it was told; null: not yet.';

CREATE TABLE alarm_digests (
    helpdesk_id   bigint NOT NULL REFERENCES helpdesks ON DELETE CASCADE,
    day           date NOT NULL,
    channel       text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    claimed_until timestamptz,
    told_at       timestamptz,
    PRIMARY KEY (helpdesk_id, day, channel)
);
COMMENT ON TABLE alarm_digests IS 'The digest of a helpdesk''s day, told by one channel.';
COMMENT ON COLUMN alarm_digests.helpdesk_id IS 'The helpdesk.';
COMMENT ON COLUMN alarm_digests.day IS 'The day that it is about, in the time zone of the helpdesk''s calendar.';
COMMENT ON COLUMN alarm_digests.channel IS 'By what.';
COMMENT ON COLUMN alarm_digests.claimed_until IS 'Until when one watch has it in hand; null: none.';
COMMENT ON COLUMN alarm_digests.told_at IS 'When it was told; null: not yet.';

CREATE TABLE maintenance_windows (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    helpdesk_id bigint REFERENCES helpdesks ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL DEFAULT now(),
    ends_at     timestamptz NOT NULL,
    reason      text NOT NULL DEFAULT '',
    CONSTRAINT ends_after_its_start CHECK (starts_at < ends_at)
);
CREATE INDEX maintenance_windows_end ON maintenance_windows (ends_at);
COMMENT ON TABLE maintenance_windows IS 'Planned maintenance: alarms that begin in it are told only when they outlast it.';
COMMENT ON COLUMN maintenance_windows.id IS 'Identity, given by the database.';
COMMENT ON COLUMN maintenance_windows.helpdesk_id IS 'Whose alarms are silent; null: all of them.';
COMMENT ON COLUMN maintenance_windows.starts_at IS 'From when.';
COMMENT ON COLUMN maintenance_windows.ends_at IS 'Until when.';
COMMENT ON COLUMN maintenance_windows.reason IS 'What is done then.';

GRANT SELECT, INSERT, DELETE ON helpdesk_administrators TO importer_console, importer_operator;
GRANT SELECT, INSERT (cause, key, helpdesks, english, dutch),
    UPDATE (helpdesks, english, dutch, last_seen_at, ended_at) ON alarms TO importer_console, importer_operator;
GRANT SELECT, INSERT (alarm_id, event, channel), UPDATE (claimed_until, told_at) ON alarm_tellings
    TO importer_console, importer_operator;
GRANT SELECT, INSERT (helpdesk_id, day, channel), UPDATE (claimed_until, told_at) ON alarm_digests
    TO importer_console, importer_operator;
GRANT SELECT, INSERT (helpdesk_id, starts_at, ends_at, reason), UPDATE (ends_at), DELETE ON maintenance_windows
    TO importer_console, importer_operator;

CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON helpdesk_administrators
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('helpdesk_id,employee_id', '');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', '');
