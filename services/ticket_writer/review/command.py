"""`python -m services.ticket_writer accept EMPLOYEE_ID|- MAIL_ID…`: accepts what these mails became, all or none.

The answer (`shared.asking`), for `helpdesk-importer review accept`:

    {"ok": true, "accepted": [{"mail_id": "…", "what": "held-supplement", "status": "Reactie ontvangen"}]}
    {"ok": false, "mail_id": "…", "refusal": "nothing-waits"}
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from services.ticket_writer.review.accepting import NotAccepted, accept
from shared.asking import Answer, Asked
from shared.database.pool import transaction
from shared.messages import MailId


async def accept_mails(asked: Asked, employee: str, mail_ids: Sequence[str]) -> Answer:
    """Accept them in one transaction, in the name of the employee («-»: of each helpdesk's S6)."""
    employee_id = None if employee == "-" else int(employee)
    accepted = []
    try:
        async with transaction(asked.pool) as connection:
            for mail_id in mail_ids:
                done = await accept(connection, MailId(uuid.UUID(mail_id)), employee_id)
                accepted.append({"mail_id": mail_id, "what": done.what, "status": done.status})
    except NotAccepted as refused:
        return {"ok": False, "mail_id": str(refused.mail_id), "refusal": refused.refusal.value}
    return {"ok": True, "accepted": accepted}
