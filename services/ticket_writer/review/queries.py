"""The SQL of acceptance, named; parameters stand at each query."""

from __future__ import annotations

from typing import Final

BECAME: Final = """
    -- $1 mail_id
    SELECT mail.ticket_id, mail.supplement_id, importer.default_employee_id
    FROM imported_mails AS mail LEFT JOIN importer_settings AS importer USING (helpdesk_id)
    WHERE mail.mail_id = $1 AND mail.outcome IN ('ticket', 'supplement')
"""

LOCK_TICKET: Final = "SELECT needs_review FROM tickets WHERE id = $1 FOR NO KEY UPDATE"

SUPPLEMENT: Final = """
    -- $1 supplement, its ticket's row locked
    SELECT needs_review, held_for_review, reported_at, automatic IS NOT NULL AS automatic, by_employee
    FROM supplements WHERE id = $1
"""

CHANGE_TICKET: Final = """
    -- $1 ticket, $2 status, $3 deadline, $4 completion, $5 employee
    UPDATE tickets SET status_id = $2, deadline_at = $3, completed_at = $4, changed_at = now(),
        changed_by_employee_id = $5, changed_by_person_id = NULL
    WHERE id = $1
"""

CLEAR_TICKET: Final = "UPDATE tickets SET needs_review = false WHERE id = $1"

CLEAR_SUPPLEMENT: Final = "UPDATE supplements SET needs_review = false WHERE id = $1"

RELEASE_SUPPLEMENT: Final = """
    -- $1 supplement, $2 visible, $3 expanded, $4 the ticket's helpdesk, $5 status, $6 deadline, $7 employee.
    -- It notes the ticket as it now is; of a ticket that moved to another helpdesk it cannot note the status.
    UPDATE supplements SET needs_review = false, held_for_review = false, visible_to_customer = $2, expanded = $3,
        status_id = CASE WHEN helpdesk_id = $4 THEN $5 ELSE status_id END, deadline_at = $6, changed_at = now(),
        changed_by_employee_id = $7, changed_by_person_id = NULL
    WHERE id = $1
"""

NOTE: Final = """
    -- $1 ticket, $2 supplement, $3 kind, $4 description, $5 details, $6 employee, $7 mail_id
    INSERT INTO ticket_history (ticket_id, supplement_id, kind, description, details, employee_id, mail_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

OPEN_REQUESTS: Final = """
    -- the helpdesk UI's requests that nobody has answered, the oldest first; other replicas pass over what is locked
    SELECT id, mail_id, employee_id FROM review_requests WHERE answered_at IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""

IN_THE_NAME_OF: Final = """
    -- $1 employee: for the audit log
    SELECT set_config('helpdesk.actor', 'employee ' || $1::text, true)
"""

ANSWER_REQUEST: Final = """
    -- $1 request, $2 why it was refused; null: it was carried out
    UPDATE review_requests SET answered_at = now(), refusal = $2 WHERE id = $1
"""
