DROP TRIGGER z_audit ON web_invitations;
REVOKE INSERT (token_hash, user_id, ends_at) ON web_invitations FROM importer_web;
REVOKE INSERT, UPDATE (role, personal_data), DELETE ON web_rights FROM importer_web;
REVOKE INSERT (name, operator, language), UPDATE (operator, active) ON web_users FROM importer_web;
