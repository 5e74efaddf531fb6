-- ── operators look after the users in the web console too ──────────────────────────────────────────────────────────

GRANT INSERT (name, operator, language), UPDATE (operator, active) ON web_users TO importer_web;
GRANT INSERT, UPDATE (role, personal_data), DELETE ON web_rights TO importer_web;
GRANT INSERT (token_hash, user_id, ends_at) ON web_invitations TO importer_web;

-- Whoever holds a link is its user: who made it is known, whichever way.
CREATE TRIGGER z_audit AFTER INSERT ON web_invitations
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('user_id', 'token_hash');
