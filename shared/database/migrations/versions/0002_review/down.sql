DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.review_requests) THEN
        RAISE EXCEPTION 'Table review_requests has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;

DROP VIEW ui_v1.review_requests;
DROP FUNCTION ui_v1.accept_review;
DROP TABLE review_requests;
ALTER TABLE supplements DROP COLUMN by_employee;
REVOKE UPDATE (visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements FROM importer_ticket_writer;
