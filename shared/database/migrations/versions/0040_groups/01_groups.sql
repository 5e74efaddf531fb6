-- ── what groups of the provider where people log in may do here ────────────────────────────────────────────────────────

CREATE TABLE web_group_rights (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer        text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 1000),
    group_name    text NOT NULL CONSTRAINT a_group_has_a_name
        CHECK (group_name = btrim(group_name) AND length(group_name) BETWEEN 1 AND 254),
    called        text NOT NULL DEFAULT '' CHECK (length(called) <= 254),
    helpdesk_id   bigint REFERENCES helpdesks,
    role          text NOT NULL CONSTRAINT role_is_known CHECK (role IN ('operator', 'administrator', 'viewer')),
    personal_data boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_right_of_a_group UNIQUE NULLS NOT DISTINCT (issuer, group_name, helpdesk_id),
    CONSTRAINT an_operator_is_one_of_all CHECK (role <> 'operator' OR helpdesk_id IS NULL)
);
CREATE INDEX web_group_rights_helpdesk ON web_group_rights (helpdesk_id);

COMMENT ON TABLE web_group_rights IS 'what the members of a group of the provider may do here («groepen»), beside what a user is given by hand';
COMMENT ON COLUMN web_group_rights.id IS 'number of the right';
COMMENT ON COLUMN web_group_rights.issuer IS 'provider whose group it is: another provider may have one of the same name';
COMMENT ON COLUMN web_group_rights.group_name IS 'the group as the provider writes it, letter for letter; at Entra its object id';
COMMENT ON COLUMN web_group_rights.called IS 'what people here call it, where the provider has but an id; empty: nothing else';
COMMENT ON COLUMN web_group_rights.helpdesk_id IS 'for which helpdesk; null: for all, those of later too';
COMMENT ON COLUMN web_group_rights.role IS 'operator («beheert alles»), administrator («beheerder») or viewer («kijker»)';
COMMENT ON COLUMN web_group_rights.personal_data IS 'a viewer sees senders, subjects and mails («persoonsgegevens»)';
COMMENT ON COLUMN web_group_rights.created_at IS 'when it was added';

CREATE TABLE web_memberships (
    user_id    bigint NOT NULL REFERENCES web_users,
    group_name text NOT NULL,
    PRIMARY KEY (user_id, group_name)
);

COMMENT ON TABLE web_memberships IS 'groups of a user at the provider, as it named them at the last login there; of those alone that give a right';
COMMENT ON COLUMN web_memberships.user_id IS 'the user';
COMMENT ON COLUMN web_memberships.group_name IS 'the group, of the provider of the user (openid_issuer)';

CREATE VIEW web_rights_by_group AS
    SELECT users.id AS user_id, rights.id AS right_id, rights.helpdesk_id, rights.role, rights.personal_data
    FROM web_memberships AS memberships JOIN web_users AS users ON users.id = memberships.user_id
        JOIN web_group_rights AS rights
            ON rights.issuer = users.openid_issuer AND rights.group_name = memberships.group_name;
COMMENT ON VIEW web_rights_by_group IS 'what users may do because of their groups; it counts in sessions that began at the provider (by_groups)';
COMMENT ON COLUMN web_rights_by_group.user_id IS 'the user';
COMMENT ON COLUMN web_rights_by_group.right_id IS 'which right of which group: a row of web_group_rights';
COMMENT ON COLUMN web_rights_by_group.helpdesk_id IS 'for which helpdesk; null: for all';
COMMENT ON COLUMN web_rights_by_group.role IS 'as web_group_rights';
COMMENT ON COLUMN web_rights_by_group.personal_data IS 'as web_group_rights';

ALTER TABLE web_sessions ADD COLUMN by_groups boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN web_sessions.by_groups IS 'it began at the provider, which named the groups: their rights count in it';

CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON web_group_rights
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', '');
CREATE TRIGGER z_audit AFTER INSERT OR DELETE ON web_memberships
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('user_id', '');

GRANT SELECT, INSERT (issuer, group_name, called, helpdesk_id, role, personal_data), UPDATE (called, role, personal_data),
    DELETE ON web_group_rights TO importer_web, importer_console, importer_operator;
GRANT SELECT ON web_memberships, web_rights_by_group TO importer_web, importer_console, importer_operator;
GRANT INSERT, DELETE ON web_memberships TO importer_web; -- what the provider said, the console alone knows
GRANT INSERT (by_groups) ON web_sessions TO importer_web;
