"""What the limits on mails out (D10) count, and the addresses to which none goes: parts of statements.

A statement that uses them calls the period of the limits $1, how long an unknown recipient is left alone $2, and the
period in which a helpdesk's mails to unknown senders are counted $3 (`shared.portal.mail_limits`).
"""

from __future__ import annotations

from typing import Final

OWN_ADDRESSES: Final = """ARRAY(SELECT lower(mailbox_address) FROM importer_settings WHERE mailbox_address IS NOT NULL
              UNION SELECT lower(username) FROM importer_settings WHERE username LIKE '%@%'
              UNION SELECT lower(sender_address) FROM helpdesks WHERE sender_address IS NOT NULL
              UNION SELECT lower(reply_to_address) FROM helpdesks WHERE reply_to_address IS NOT NULL
             ) AS own_addresses"""
"""Those of all helpdesks, in small letters."""

SENT_TO_ADDRESS: Final = """sent.in_all, sent.same_subject,
        (SELECT count(*) FROM notifications
         WHERE coalesce(counted_domain, split_part(recipient_key, '@', 2)) = given.domain
            AND kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL
            AND state <> 'not-sent' AND created_at > statement_timestamp() - $1::interval) AS in_domain,
        CASE WHEN given.is_unknown THEN (
            SELECT count(*) FROM notifications WHERE helpdesk_id = given.helpdesk_id
                AND kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL
                AND state IN ('planned', 'sent', 'failed') AND created_at > statement_timestamp() - $3::interval)
            END AS to_unknown,
        EXISTS (SELECT FROM notifications WHERE coalesce(counted_address, recipient_key) = given.counted_address
                AND state = 'failed' AND reason = 'unknown-recipient'
                AND created_at > statement_timestamp() - $2::interval) AS unknown_recipient"""
"""To the customer of `given` (helpdesk_id, counted_address, domain, is_unknown), with SENT_BY_SUBJECT joined."""

SENT_BY_SUBJECT: Final = """CROSS JOIN LATERAL (
            SELECT count(*) AS in_all,
                count(*) FILTER (WHERE lower(mail.subject) = lower(given.subject)) AS same_subject
            FROM notifications AS notification JOIN imported_mails AS mail USING (mail_id)
            WHERE coalesce(notification.counted_address, notification.recipient_key) = given.counted_address
                AND notification.kind = 'ticket-added-customer'
                AND notification.state <> 'not-sent'
                AND notification.created_at > statement_timestamp() - $1::interval
        ) AS sent"""
"""Joined to `given` (counted_address, subject)."""

SENT_ABOUT_TICKET: Final = """(SELECT jsonb_object_agg(counted, mails) FROM (
            SELECT coalesce(counted_address, recipient_key) AS counted, count(*) AS mails FROM notifications
            WHERE ticket_id = ticket.id AND kind <> 'ticket-added-customer' AND state <> 'not-sent'
                AND recipient_key IS NOT NULL AND created_at > statement_timestamp() - $1::interval
            GROUP BY counted) AS by_address) AS sent"""
"""To staff about the row `ticket`, by what their addresses are counted by."""
