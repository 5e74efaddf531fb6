-- ── days of a calendar that differ from the country's (D3) ──────────────────────────────────────────────────────────

ALTER TABLE helpdesk.calendars
    ADD COLUMN open_holidays text[] NOT NULL DEFAULT '{}',
    ADD COLUMN closed_holidays text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT a_holiday_is_open_or_closed CHECK (NOT open_holidays && closed_holidays);
COMMENT ON COLUMN helpdesk.calendars.open_holidays IS
    'Holidays, by the name that calendars show gives them, on which it is open all the same, each year (D3).';
COMMENT ON COLUMN helpdesk.calendars.closed_holidays IS
    'Days that it keeps though they are no general days off, each year: Goede Vrijdag, or Bevrijdingsdag in every year (D3).';

GRANT SELECT (open_holidays, closed_holidays) ON helpdesk.calendars TO importer_ticket_writer;
