-- ── settings: whoever changes a row leaves one here ────────────────────────────────────────────────────────────────
-- What follows from a change by our own triggers (a copy of a login, say) is part of it, and no row of its own.

CREATE FUNCTION helpdesk.audit_settings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE -- the columns that name a row; those whose values are nobody's to read here
    keys CONSTANT text[] := string_to_array(TG_ARGV[0], ',');
    hidden CONSTANT text[] := string_to_array(TG_ARGV[1], ',');
    unsaid CONSTANT text[] := '{row_version,secret_given_at,address_key}';
    was CONSTANT jsonb := to_jsonb(OLD);
    becomes CONSTANT jsonb := to_jsonb(NEW);
    whole CONSTANT jsonb := coalesce(becomes, was);
    before jsonb;
    after jsonb;
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    SELECT
        jsonb_object_agg(key, CASE WHEN key = ANY (hidden) THEN to_jsonb('changed'::text) ELSE earlier.value END)
            FILTER (WHERE earlier.value IS NOT NULL AND earlier.value <> 'null'),
        jsonb_object_agg(key, CASE WHEN key = ANY (hidden) THEN to_jsonb('changed'::text) ELSE later.value END)
            FILTER (WHERE later.value IS NOT NULL AND later.value <> 'null')
    INTO before, after
    FROM jsonb_each(was) AS earlier FULL JOIN jsonb_each(becomes) AS later USING (key)
    WHERE earlier.value IS DISTINCT FROM later.value AND key <> ALL (unsaid);
    IF TG_OP <> 'UPDATE' OR num_nonnulls(before, after) > 0 THEN
        PERFORM helpdesk.record_audit('settings',
            CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END, TG_TABLE_NAME,
            (SELECT string_agg(whole ->> name, '/' ORDER BY place) FROM unnest(keys) WITH ORDINALITY AS named (name, place)),
            CASE TG_TABLE_NAME WHEN 'helpdesks' THEN (whole ->> 'id')::bigint ELSE (whole ->> 'helpdesk_id')::bigint END,
            NULL, before, after);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.audit_settings IS 'records a change of a row of settings (columns that name it, columns that are hidden)';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{calendars,categories,employees,employee_addresses,entry_channels,environments,helpdesk_groups,
        helpdesks,organisations,priorities,sender_rules,statuses,supplement_types,ticket_types}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON helpdesk.%I
            FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings(''id'', '''')', name);
    END LOOP;
END $$;
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON calendar_hours
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('calendar_id,weekday,opens', '');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON calendar_exceptions
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('calendar_id,day', '');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON templates
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('helpdesk_id,kind', '');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON sealing_keys
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('key_id', '');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON ticket_number_pattern
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('', '');
-- secrets
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON importer_settings
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('helpdesk_id', 'password_encrypted,certificate_encrypted');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON outgoing_accounts
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', 'password_encrypted,certificate_encrypted');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON logins
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', 'password_encrypted,certificate_encrypted');
-- personal data of contacts: what is erased there must not go on here
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON persons
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', 'name');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON person_addresses
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', 'address');
