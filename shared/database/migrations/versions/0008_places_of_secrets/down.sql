-- Refused by the constraint itself where a login travels unencrypted, which the version before did not allow.
DROP TRIGGER a_secret_stays_with_its_place ON outgoing_accounts;
DROP TRIGGER a_secret_stays_with_its_place ON importer_settings;
DROP FUNCTION helpdesk.refuse_secret_elsewhere;
ALTER TABLE outgoing_accounts DROP CONSTRAINT sending_unencrypted_is_chosen,
    ADD CONSTRAINT a_login_travels_encrypted CHECK (username IS NULL OR security <> 'none' OR kind = 'graph'
        OR coalesce(host IN ('localhost', '127.0.0.1', '::1'), false)),
    DROP COLUMN allow_unencrypted;
