-- ── a template of a helpdesk's own for summaries ───────────────────────────────────────────────────────────────────

ALTER TABLE templates
    DROP CONSTRAINT templates_kind_check,
    ADD CONSTRAINT templates_kind_check CHECK (
        kind IN ('ticket-added-manager', 'supplement-added-executor', 'ticket-added-customer', 'summary'));
COMMENT ON COLUMN templates.kind IS 'Which mail: to the manager (M2), to the executor (M3), to the customer (M4), or the summary of many M2 and M3.';
COMMENT ON COLUMN ui_v1.templates.kind IS 'ticket-added-manager (M2), supplement-added-executor (M3), ticket-added-customer (M4), summary (of many M2 and M3).';

CREATE FUNCTION helpdesk.summary_placeholders(OUT name text, OUT in_subject boolean) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    VALUES
        ('helpdesk', true),
        ('ontvanger', true),
        ('aantal', true),
        ('aantal tickets', true),
        ('aantal aanvullingen', true),
        ('eerste', true),
        ('laatste', true),
        ('overzicht', false)
$$;
COMMENT ON FUNCTION helpdesk.summary_placeholders IS 'the names that may stand in brackets in the template of a summary';

CREATE FUNCTION helpdesk.template_problem(source text, is_subject boolean, of_summary boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    piece text[];
    asked text;
    allowed boolean;
    numbered boolean := of_summary; -- it is about many tickets
BEGIN
    IF source IS NULL THEN
        RETURN NULL; -- the default
    END IF;
    FOR piece IN SELECT regexp_matches(source, '(\[\[)|\[([^][]*)\]|(\[)', 'g') LOOP
        CONTINUE WHEN piece[1] IS NOT NULL;
        IF piece[3] IS NOT NULL THEN
            RETURN 'A [ is not closed by a ]. Close it, or write [[ for a bracket that is meant as such.';
        END IF;
        asked := regexp_replace(piece[2], '\?$', '');
        asked := lower(btrim(regexp_replace(replace(replace(asked, '&nbsp;', ' '), chr(160), ' '), '\s+', ' ', 'g')));
        IF of_summary THEN
            allowed := (SELECT in_subject FROM helpdesk.summary_placeholders() AS known WHERE known.name = asked);
        ELSE
            allowed := (SELECT in_subject FROM helpdesk.placeholders() AS known WHERE known.name = asked);
        END IF;
        IF allowed IS NULL THEN
            RETURN format('[%s] is unknown.', left(piece[2], 40));
        ELSIF is_subject AND (NOT allowed OR piece[2] LIKE '%?') THEN
            RETURN format('[%s] is for a body.', left(piece[2], 40));
        END IF;
        numbered := numbered OR asked = 'ticketnummer';
    END LOOP;
    IF is_subject AND source ~ '[\n\r]' THEN
        RETURN 'A subject is one line: remove the line break.';
    ELSIF is_subject AND NOT numbered THEN
        RETURN 'The subject must have [ticketnummer] in it: without it an answer does not find its ticket.';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.template_problem(text, boolean, boolean) IS 'what is wrong with a template, or with that of a summary; null: nothing';

CREATE OR REPLACE FUNCTION helpdesk.template_problem(source text, is_subject boolean) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT helpdesk.template_problem(source, is_subject, false)
$$;

CREATE OR REPLACE FUNCTION helpdesk.check_template() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_summary boolean := NEW.kind = 'summary';
    problem text := coalesce(
        helpdesk.template_problem(NEW.subject, true, of_summary),
        helpdesk.template_problem(NEW.body_html, false, of_summary),
        helpdesk.template_problem(NEW.body_text, false, of_summary));
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_template_can_be_used',
                  HINT = 'docs/templates.md lists the placeholders.';
    END IF;
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION helpdesk.summary_placeholders, helpdesk.template_problem(text, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.summary_placeholders, helpdesk.template_problem(text, boolean, boolean)
    TO helpdesk_ui;
