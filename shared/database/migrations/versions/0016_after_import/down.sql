ALTER TABLE mailbox_states
    DROP COLUMN after_import_failures,
    DROP COLUMN after_import_resumes_at,
    DROP COLUMN after_import_problem,
    DROP COLUMN after_import_settings_version;
