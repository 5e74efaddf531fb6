-- ── templates are checked where they are stored, whoever writes them (M2–M4) ────────────────────────────────────────
-- The names are those of shared/templates/placeholders.py; a test compares the two, and both judge the same templates.

CREATE FUNCTION helpdesk.placeholders(OUT name text, OUT in_subject boolean) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    VALUES
        ('ticketnummer', true),
        ('tickettitel', true),
        ('ticketlink', false),
        ('helpdesk', true),
        ('ontvanger', true),
        ('organisatie', true),
        ('contactpersoon', true),
        ('aanmelder', true),
        ('afzender', true),
        ('afzenderadres', true),
        ('onderwerp', true),
        ('omschrijving', false),
        ('aanvulling', false),
        ('bijlagen', false),
        ('niet opgeslagen bijlagen', false),
        ('status', true),
        ('prioriteit', true),
        ('soort', true),
        ('omgeving', true),
        ('ticketmanager', true),
        ('uitvoerder', true),
        ('deadline', true),
        ('datum gemeld', true),
        ('datum aanvulling', true)
$$;
COMMENT ON FUNCTION helpdesk.placeholders IS 'the names that may stand in brackets in a template';

CREATE FUNCTION helpdesk.template_problem(source text, is_subject boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    piece text[];
    asked text;
    allowed boolean;
    numbered boolean := false;
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
        allowed := (SELECT in_subject FROM helpdesk.placeholders() AS known WHERE known.name = asked);
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
COMMENT ON FUNCTION helpdesk.template_problem IS 'what is wrong with a template; null: nothing';

CREATE FUNCTION helpdesk.check_template() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text := coalesce(
        helpdesk.template_problem(NEW.subject, true), helpdesk.template_problem(NEW.body_html, false),
        helpdesk.template_problem(NEW.body_text, false));
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_template_can_be_used',
                  HINT = 'docs/templates.md lists the placeholders.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER template_can_be_used BEFORE INSERT OR UPDATE OF subject, body_html, body_text ON helpdesk.templates
    FOR EACH ROW EXECUTE FUNCTION helpdesk.check_template();

REVOKE ALL ON FUNCTION helpdesk.placeholders, helpdesk.template_problem, helpdesk.check_template FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.placeholders, helpdesk.template_problem TO helpdesk_ui;

CREATE VIEW ui_v1.templates AS
SELECT helpdesk_id, kind, subject, body_html, body_text, row_version FROM helpdesk.templates;
COMMENT ON VIEW ui_v1.templates IS
    'Templates of the mails M2–M4, to be read, added, changed and removed; a helpdesk without one has the default. Checked as they are stored: a_template_can_be_used says what to change.';
COMMENT ON COLUMN ui_v1.templates.helpdesk_id IS 'The helpdesk.';
COMMENT ON COLUMN ui_v1.templates.kind IS 'ticket-added-manager (M2), supplement-added-executor (M3), ticket-added-customer (M4).';
COMMENT ON COLUMN ui_v1.templates.subject IS '«Mail onderwerp …» with [placeholders]; null: the default.';
COMMENT ON COLUMN ui_v1.templates.body_html IS '«Mailtemplate …» as html; null: the default, or made from the text.';
COMMENT ON COLUMN ui_v1.templates.body_text IS '«Mailtemplate …» as text; null: the default, or made from the html.';
COMMENT ON COLUMN ui_v1.templates.row_version IS 'Moves with each change; an UPDATE names the one that it has read.';
GRANT SELECT, DELETE, INSERT (helpdesk_id, kind, subject, body_html, body_text), UPDATE (subject, body_html, body_text)
    ON ui_v1.templates TO helpdesk_ui;
