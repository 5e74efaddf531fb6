DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.web_users) THEN
        RAISE EXCEPTION 'Table web_users has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;

DROP TABLE web_login_tries, web_invitations, web_sessions, web_rights, web_users;
REVOKE ALL ON ALL TABLES IN SCHEMA helpdesk FROM importer_web;
REVOKE ALL ON public.alembic_version FROM importer_web;
REVOKE EXECUTE ON FUNCTION ui_v1.accept_review, helpdesk.note_look_at_raw_mail FROM importer_web;
REVOKE ALL ON ALL TABLES IN SCHEMA ui_v1 FROM importer_web;
REVOKE ALL ON SCHEMA helpdesk, ui_v1 FROM importer_web;
