"""The reading of a mail that fails every way of reading: nothing of it is known, so it is set aside (SPEC D17)."""

from __future__ import annotations

from services.classifier.reading.content_key import content_key
from services.classifier.reading.values import ReadMail
from shared.messages import Body, DmarcResult


def unread_mail() -> ReadMail:
    """A mail without sender, subject and text; its raw bytes are all that there is."""
    return ReadMail(
        message_id=None,
        in_reply_to=(),
        references=(),
        subject="",
        sent_at=None,
        from_=(),
        sender=(),
        reply_to=(),
        return_path=(),
        return_path_empty=False,
        to=(),
        cc=(),
        dmarc=DmarcResult.NONE,
        automatic=None,
        bounced=(),
        returned_message_ids=(),
        whole=Body(html="", text=""),
        above=(),
        images=(),
        left_out=(),
        content_key=content_key(message_id=None, sender="", sent_at=None, date="", subject="", text=""),
        head_only=True,
    )
