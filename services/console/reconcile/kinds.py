"""The kinds of differences: what each is, and what is done about it. Pure.

    Remedy.REPAIR    `--repair` mends it, by what the services do anyway
    Remedy.PERSON    a person must decide: nothing can be mended without a guess
    Remedy.NOTHING   told, and harmless: no difference that needs anybody

A kind's sentences are for who is called at night: what is so, and what to do; shown to people, they are translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.console.texts import N_


class Part(StrEnum):
    """What is compared with the ledger, in the order in which it is shown."""

    MAILBOXES = "mailboxes"
    LEDGER = "ledger"
    TICKETS = "tickets"
    NOTIFICATIONS = "notifications"
    QUEUES = "queues"
    BLOBS = "blobs"


class Remedy(StrEnum):
    """Who does something about a difference."""

    REPAIR = "repair"
    PERSON = "person"
    NOTHING = "nothing"


class Kind(StrEnum):
    """What differs."""

    NOT_TAKEN_IN = "mail-not-taken-in"
    READ_UNKNOWN = "read-mail-unknown"
    SET_BACK = "set-back-to-unread"
    NOT_MARKED = "mail-not-marked"
    NOT_FILED = "mail-not-filed"
    NO_TICKET = "ticket-missing"
    NO_SUPPLEMENT = "supplement-missing"
    NO_ORIGINAL = "original-missing"
    NOT_ITS_OUTCOME = "outcome-is-another"
    NO_LEDGER_ROW = "ledger-row-missing"
    TWICE = "made-twice"
    PICTURE_MISSING = "picture-missing"
    NOT_ANNOUNCED = "event-not-announced"
    NOBODY_TOLD = "notification-missing"
    OF_ANOTHER_TICKET = "notification-of-another"
    CLAIM_OF_NOBODY = "claim-of-nobody"
    OVERDUE = "notification-overdue"
    PERHAPS_TWICE = "perhaps-sent-twice"
    STUCK = "mail-stuck"
    LEFTOVER = "leftover-dead-letter"
    COPY = "copy-in-queue"
    UNKNOWN_MAIL = "message-of-unknown-mail"
    LETTER_WITHOUT_MESSAGE = "dead-letter-without-message"
    BYTES_MISSING = "bytes-missing"
    BYTES_DIFFER = "bytes-differ"
    NOT_REMOVED = "bytes-not-removed"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of a kind: where it belongs, who does something, why it is so, and what is done."""

    part: Part
    remedy: Remedy
    cause: str
    what_to_do: str


_CHECK: Final = N_("--repair has the mailbox checked now.")
_BY_HAND: Final = N_(
    "restore it from a backup, or import the mail once more with mails force, which makes a new ticket."
)

KINDS: Final[Mapping[Kind, Explanation]] = {
    Kind.NOT_TAKEN_IN: Explanation(
        Part.MAILBOXES,
        Remedy.REPAIR,
        N_("The mailbox has this mail for longer than that, and the ledger does not know it."),
        N_(
            "--repair has the mailbox checked now. If it is still so afterwards: check-mailbox, and the fetcher's log "
            "(mail_not_fetched)."
        ),
    ),
    Kind.READ_UNKNOWN: Explanation(
        Part.MAILBOXES,
        Remedy.PERSON,
        N_("Somebody read this mail before the importer did, or it was taken in after the backup that was restored."),
        N_("to import it: importer set HELPDESK --read-mail-from WHEN, or set it to unread in the mailbox."),
    ),
    Kind.SET_BACK: Explanation(
        Part.MAILBOXES,
        Remedy.NOTHING,
        N_("The ledger has them as taken in and marked; somebody set them back to unread."),
        N_("nothing: that changes nothing."),
    ),
    Kind.NOT_MARKED: Explanation(
        Part.LEDGER,
        Remedy.REPAIR,
        N_(
            "It was taken in, and is not recorded as marked read: the mailbox refused that, or a fetcher died before "
            "it."
        ),
        _CHECK,
    ),
    Kind.NOT_FILED: Explanation(
        Part.LEDGER,
        Remedy.REPAIR,
        N_("It has its outcome, and is not moved or deleted as the settings say: the mailbox refused that."),
        _CHECK,
    ),
    Kind.NO_TICKET: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("The ledger says that it became a ticket, and that ticket is not there."),
        _BY_HAND,
    ),
    Kind.NO_SUPPLEMENT: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("The ledger says that it became a supplement, and that supplement is not there."),
        _BY_HAND,
    ),
    Kind.NO_ORIGINAL: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("It counts as a duplicate of a mail that became neither ticket nor supplement."),
        N_("import it with mails force."),
    ),
    Kind.NOT_ITS_OUTCOME: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("A ticket or supplement was made of it, and the ledger says that it became something else, or nothing yet."),
        N_("see in mails show and in the ticket what is right; the ledger is restored from a backup."),
    ),
    Kind.NO_LEDGER_ROW: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("It names a mail that made it, and the ledger does not have that mail."),
        N_("restore the ledger's row from a backup: else the mail would be imported once more."),
    ),
    Kind.TWICE: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("A ticket and a supplement were made of one mail."),
        N_("merge them in the helpdesk."),
    ),
    Kind.PICTURE_MISSING: Explanation(
        Part.TICKETS,
        Remedy.PERSON,
        N_("Its text shows a picture that the ticket does not have."),
        N_("take the picture out of the raw mail (mails export) and add it to the ticket by hand."),
    ),
    Kind.NOT_ANNOUNCED: Explanation(
        Part.NOTIFICATIONS,
        Remedy.PERSON,
        N_("Its outcome was written, and the notifier was not told: ticket_writer does that again each half minute."),
        N_("see that ticket_writer runs and RabbitMQ takes what it publishes (status)."),
    ),
    Kind.NOBODY_TOLD: Explanation(
        Part.NOTIFICATIONS,
        Remedy.PERSON,
        N_("It is not recorded whether anybody was to be told of it: each ticket and supplement has a row for that."),
        N_("tell the people yourself; see who changed the table notifications."),
    ),
    Kind.OF_ANOTHER_TICKET: Explanation(
        Part.NOTIFICATIONS,
        Remedy.PERSON,
        N_("A notification about it names another ticket than the ledger."),
        N_("hold it (notifications hold), and see which of both is right."),
    ),
    Kind.CLAIM_OF_NOBODY: Explanation(
        Part.NOTIFICATIONS,
        Remedy.REPAIR,
        N_("A notifier that is gone had it in hand, and nobody took it over: its next try is set for later."),
        N_("--repair has it sent now."),
    ),
    Kind.OVERDUE: Explanation(
        Part.NOTIFICATIONS,
        Remedy.PERSON,
        N_("It is due for longer than that, and no notifier takes it."),
        N_("see that a notifier runs (status, its log); it sends within seconds."),
    ),
    Kind.PERHAPS_TWICE: Explanation(
        Part.NOTIFICATIONS,
        Remedy.NOTHING,
        N_("A mail server broke off after an earlier try without an answer, so that it may have come twice."),
        N_("nothing: both have one Message-ID."),
    ),
    Kind.STUCK: Explanation(
        Part.QUEUES,
        Remedy.REPAIR,
        N_("It has no outcome, and no queue has a message about it: that was lost."),
        N_("--repair has it published again."),
    ),
    Kind.LEFTOVER: Explanation(
        Part.QUEUES,
        Remedy.REPAIR,
        N_("A message about it was parked, and all that it asked for has been done since."),
        N_("--repair throws the message away."),
    ),
    Kind.COPY: Explanation(
        Part.QUEUES,
        Remedy.NOTHING,
        N_("A queue has a message about it though it has its outcome."),
        N_("nothing: the service that reads it sees that."),
    ),
    Kind.UNKNOWN_MAIL: Explanation(
        Part.QUEUES,
        Remedy.PERSON,
        N_("A message is about a mail that the ledger does not have: the database is older than the queue."),
        N_("the mailbox may have it: reconcile --since; then dead-letters discard."),
    ),
    Kind.LETTER_WITHOUT_MESSAGE: Explanation(
        Part.QUEUES,
        Remedy.PERSON,
        N_("The ledger has an open dead letter about it, and the queue has no message."),
        N_("once the cause is mended: quarantine replay sends the mail itself again."),
    ),
    Kind.BYTES_MISSING: Explanation(
        Part.BLOBS, Remedy.PERSON, N_("Bytes that are needed are not stored."), N_("restore them from a backup.")
    ),
    Kind.BYTES_DIFFER: Explanation(
        Part.BLOBS,
        Remedy.PERSON,
        N_("The bytes that are stored are not those of their name: the disk, or somebody, changed them."),
        N_("restore them from a backup, and see to the disk."),
    ),
    Kind.NOT_REMOVED: Explanation(
        Part.BLOBS,
        Remedy.PERSON,
        N_("Nothing needs these bytes for more than nine days, and no night has removed them."),
        N_("see that nightly runs (retention); sweep-blobs does it at once."),
    ),
}
