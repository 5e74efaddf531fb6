-- ── entry channels and supplement types of the helpdesk's own are renamed and removed ──────────────────────────────

CREATE FUNCTION helpdesk.refuse_change_of_the_importers_own() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '«%» is what the importer writes on tickets and supplements: it is neither renamed nor removed.', OLD.name
        USING ERRCODE = 'check_violation', CONSTRAINT = 'the_importers_own_stays';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_change_of_the_importers_own IS 'refuses to change or remove what the importer names by its system_key';
REVOKE ALL ON FUNCTION helpdesk.refuse_change_of_the_importers_own FROM PUBLIC;
CREATE TRIGGER the_importers_own_stays BEFORE UPDATE OR DELETE ON entry_channels
    FOR EACH ROW WHEN (OLD.system_key IS NOT NULL) EXECUTE FUNCTION helpdesk.refuse_change_of_the_importers_own();
CREATE TRIGGER the_importers_own_stays BEFORE UPDATE OR DELETE ON supplement_types
    FOR EACH ROW WHEN (OLD.system_key IS NOT NULL) EXECUTE FUNCTION helpdesk.refuse_change_of_the_importers_own();

GRANT UPDATE (name), DELETE ON entry_channels, supplement_types TO helpdesk_ui;
