-- ── what goes wrong after the import has pauses of its own ─────────────────────────────────────────────────────────
-- An older fetcher knows nothing of them: there such trouble fails the check, as it did.

ALTER TABLE mailbox_states
    ADD COLUMN after_import_failures         integer NOT NULL DEFAULT 0,
    ADD COLUMN after_import_resumes_at       timestamptz,
    ADD COLUMN after_import_problem          text,
    ADD COLUMN after_import_settings_version bigint,
    ADD CONSTRAINT after_import_is_whole CHECK (CASE WHEN after_import_failures = 0
        THEN num_nonnulls(after_import_resumes_at, after_import_problem, after_import_settings_version) = 0
        ELSE after_import_failures > 0
            AND num_nonnulls(after_import_resumes_at, after_import_problem, after_import_settings_version) = 3 END);
COMMENT ON COLUMN mailbox_states.after_import_failures IS 'Checks in a row in which what was imported could not be marked read, moved or deleted; new mail is imported all the same.';
COMMENT ON COLUMN mailbox_states.after_import_resumes_at IS 'Until then that rests; null: it goes well.';
COMMENT ON COLUMN mailbox_states.after_import_problem IS 'Why it failed last, as a sentence; null: it goes well.';
COMMENT ON COLUMN mailbox_states.after_import_settings_version IS 'row_version of the settings with which it failed: with other settings it is tried at once; null: it goes well.';
GRANT SELECT (after_import_failures, after_import_resumes_at, after_import_problem, after_import_settings_version),
    UPDATE (after_import_failures, after_import_resumes_at, after_import_problem, after_import_settings_version)
    ON mailbox_states TO importer_fetcher;
