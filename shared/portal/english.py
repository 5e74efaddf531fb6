"""The sentences of reasons in English, for who reads the importer in English: those of `reasons` and `delivery`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.messages import Reason, ReasonId
from shared.portal.delivery import DeliveryReason
from shared.portal.reasons import Explanation, NotSentReason


def explanation_in_english(reason: Reason) -> Explanation:
    """Sentence and remedy, with what it says of this one mail; of a reason that a newer version alone knows, its id."""
    if not isinstance(reason.id, ReasonId):
        return Explanation(f"A newer version of the importer gives the reason «{reason.id}».")
    known = REASONS[reason.id]
    if not reason.detail:
        return known
    return Explanation(f"{known.sentence.removesuffix('.')} ({reason.detail}).", known.remedy)


REASONS: Final[Mapping[ReasonId, Explanation]] = MappingProxyType(
    {
        ReasonId.NO_TICKET_NUMBER: Explanation("The subject has no ticket number: a new ticket."),
        ReasonId.TICKET_NUMBER: Explanation("The subject names a known ticket number: a supplement to that ticket."),
        ReasonId.TICKET_ALIAS: Explanation("The number in the subject is an old number of this ticket."),
        ReasonId.TICKET_MERGED: Explanation("The ticket that is named was merged into another, which was followed."),
        ReasonId.TICKET_OF_THREAD: Explanation(
            "The subject names no known ticket number, but the mail answers an earlier one of this ticket."
        ),
        ReasonId.TICKET_GONE: Explanation(
            "The ticket that is named does not exist any more.", "Merge the new ticket with the right one, if need be."
        ),
        ReasonId.TICKET_CLOSED_TOO_LONG: Explanation(
            "The ticket that is named is closed for longer than the helpdesk reopens: a new ticket that refers to it.",
            "Merge the new ticket with the old one, if need be.",
        ),
        ReasonId.OTHER_HELPDESK: Explanation("The ticket that is named is another helpdesk's, whose rules count."),
        ReasonId.THREAD_NOT_FOLLOWED: Explanation(
            "It has no ticket number, but answers a mail about this ticket; the helpdesk follows no threads.",
            "Switch the setting follow-threads on to have such mails become supplements.",
        ),
        ReasonId.UNKNOWN_NUMBER: Explanation(
            "The subject has a number like a ticket's, which is not known.",
            "Record an old number as an alias of the ticket that it belongs to.",
        ),
        ReasonId.OWN_MESSAGE_BOUNCED: Explanation(
            "A mail of ours was not delivered or came back: a supplement to the ticket of that mail.",
            "Check the recipient's mail address.",
        ),
        ReasonId.CONTACT_KNOWN: Explanation("The sender is a known contact."),
        ReasonId.CONTACT_INACTIVE: Explanation(
            "The contact with this address is not active.", "Make him active again, or give the address to another."
        ),
        ReasonId.SEVERAL_CONTACTS: Explanation(
            "More than one contact has this address; one of them was chosen.",
            "Check the choice, and leave the address with one contact.",
        ),
        ReasonId.EMPLOYEE: Explanation("The sender is an employee."),
        ReasonId.UNKNOWN_SENDER: Explanation(
            "The sender is unknown: the default contact stands on the ticket.", "Record the address with a contact."
        ),
        ReasonId.REPLY_TO_IS_SENDER: Explanation(
            "The mail came from our own address; the address for answers (Reply-To) was taken as the sender."
        ),
        ReasonId.REPLY_TO_BY_SETTING: Explanation(
            "The address for answers (Reply-To) was taken as the sender, as the helpdesk has it set."
        ),
        ReasonId.FORWARDED_BY_EMPLOYEE: Explanation(
            "An employee forwarded the mail; its first sender was taken.",
            "Change who reported the ticket, where another is meant.",
        ),
        ReasonId.ADDRESS_WITHOUT_TAG: Explanation(
            "The address is known only without what stands after its plus sign; that was followed."
        ),
        ReasonId.ORGANISATION_BY_DOMAIN: Explanation(
            "The sender is unknown, but contacts of one organisation alone have an address in this domain.",
            "Record the address with a contact.",
        ),
        ReasonId.FORGED_SENDER: Explanation(
            "A trusted check (DMARC) says that the sender is forged.",
            "Do not trust what it says without asking the sender in another way.",
        ),
        ReasonId.SENDER_ALLOWED: Explanation("The sender is let through expressly, though a wider rule blocks him."),
        ReasonId.ABOVE_MARKER: Explanation("Only what stands above the marker line was taken."),
        ReasonId.NOTHING_ABOVE_MARKER: Explanation("Nothing stands above the marker line: the whole mail was taken."),
        ReasonId.REPLY_TRIMMED: Explanation(
            "Quoted text and signature are not shown; the whole text is kept with the supplement."
        ),
        ReasonId.NO_SUBJECT: Explanation("The mail has no subject."),
        ReasonId.ATTACHMENTS_LEFT_OUT: Explanation(
            "Attachments that are no pictures were not stored.",
            "Ask for them in a safe way, if need be; the original mail is kept.",
        ),
        ReasonId.AUTOMATIC: Explanation("This is an automatic mail: no mail goes out, and the status stays."),
        ReasonId.AUTOMATIC_ALLOWED: Explanation(
            "The mail looks automatic, but a rule says that mail of this sender is written by people."
        ),
        ReasonId.STRANGER: Explanation(
            "The sender does not belong to this ticket.", "Look at the supplement, and accept or move it."
        ),
        ReasonId.SAME_MESSAGE_ID_DIFFERS: Explanation(
            "An earlier mail had the same Message-ID and another content; both were imported.", "Compare the two."
        ),
        ReasonId.TOO_LARGE: Explanation(
            "The mail is too large and was not read as a whole.", "Read it in the mailbox, where it still is."
        ),
        ReasonId.UNREADABLE: Explanation(
            "The mail could not be read as a whole; what was readable was taken.",
            "Look at the original mail, which is kept.",
        ),
        ReasonId.OUR_ERROR: Explanation(
            "The importer could not read this mail as a whole, by an error of its own.",
            "Tell whoever runs it, who can have the mail imported again.",
        ),
        ReasonId.ENCRYPTED: Explanation(
            "The mail is encrypted; the importer does not have the key and could not read it.",
            "Read it with the key, or ask the sender to send it without encryption.",
        ),
        ReasonId.TEXT_OF_ATTACHED_MESSAGE: Explanation(
            "The mail itself says nothing: the text of the message attached to it was taken."
        ),
        ReasonId.VIRUS_FOUND: Explanation(
            "The virus scanner rejects a picture in this mail; it was not stored.",
            "Do not open the original mail; have the sender's computer examined.",
        ),
        ReasonId.OLD_MAIL: Explanation("The mail was old already when it was imported: no mails go out about it."),
        ReasonId.FORCED: Explanation("Somebody had this mail imported once more."),
        ReasonId.DUPLICATE_CONTENT: Explanation("This mail was imported from this mailbox before."),
        ReasonId.TICKET_HAS_CONTENT: Explanation("This ticket has this mail already, by another mailbox."),
        ReasonId.NO_SENDER: Explanation(
            "The mail has no usable sender.", "Look at the original mail, and make a ticket yourself if need be."
        ),
        ReasonId.OWN_ADDRESS: Explanation(
            "The mail comes from the mailbox's own address, but was not sent by us.",
            "Look at the mail; a web form should name whoever filled it in as Reply-To.",
        ),
        ReasonId.DEAD_LETTER: Explanation(
            "It was tried several times, failed, and was given up.",
            "Have whoever runs the importer mend the cause and take the mail up again.",
        ),
        ReasonId.MARKED_READ_BY_PERSON: Explanation(
            "Somebody had this old mail marked as read.", "Have it imported all the same, if need be."
        ),
        ReasonId.DISCARDED_BY_PERSON: Explanation(
            "Somebody decided that nothing needs to be done about this mail.",
            "Have it imported all the same, if need be.",
        ),
        ReasonId.SENDER_BLOCKED: Explanation(
            "The sender is blocked.", "Lift the block, and have the mail imported again then."
        ),
        ReasonId.LIST_BLOCKED: Explanation(
            "The mailing list is blocked.", "Lift the block, and have the mail imported again then."
        ),
    }
)

NOT_SENT: Final[Mapping[NotSentReason, Explanation]] = MappingProxyType(
    {
        NotSentReason.AUTOMATIC: Explanation("No mail ever follows an automatic mail."),
        NotSentReason.WITHOUT_MAILS: Explanation("«Without mails» was chosen for the import."),
        NotSentReason.OLD_MAIL: Explanation("The imported mail was old already."),
        NotSentReason.MAILS_OFF: Explanation(
            "The helpdesk sends no mail when the e-mail importer adds something.",
            "Switch «Mail versturen bij toevoegen uit e-mail importer» on (helpdesks set --import-mails).",
        ),
        NotSentReason.NO_RECIPIENT: Explanation(
            "The ticket has no ticket manager or executor.",
            "Fill him in on the ticket, or give the helpdesk a --fallback-recipient.",
        ),
        NotSentReason.INACTIVE_RECIPIENT: Explanation(
            "The ticket manager or executor is not active.", "Choose an active employee on the ticket."
        ),
        NotSentReason.NO_ADDRESS: Explanation(
            "The ticket manager or executor has no mail address.", "Record one with the employee."
        ),
        NotSentReason.WROTE_THE_MAIL: Explanation("The recipient wrote the mail himself."),
        NotSentReason.EMPLOYEE: Explanation("The sender is an employee and gets no confirmation."),
        NotSentReason.FORWARDED_STRANGER: Explanation(
            "An employee forwarded the mail, and its first sender is no known contact."
        ),
        NotSentReason.FORGED_SENDER: Explanation("The sender is forged, as a trusted check (DMARC) says."),
        NotSentReason.RETURN_PATH_EMPTY: Explanation("The mail names no address for answers (an empty Return-Path)."),
        NotSentReason.OWN_ADDRESS: Explanation("The address is a helpdesk's own."),
        NotSentReason.UNKNOWN_RECIPIENT: Explanation(
            "A mail server said lately that this address does not exist.", "Check the contact's address."
        ),
        NotSentReason.OVER_LIMIT: Explanation("Too many mails went to this address shortly after each other already."),
        NotSentReason.OVER_LIMIT_SAME_SUBJECT: Explanation(
            "This address sent several mails of one subject shortly after each other; the earlier ones were answered."
        ),
        NotSentReason.OVER_LIMIT_IN_DOMAIN: Explanation(
            "Too many mails went to unknown addresses in this domain shortly after each other already.",
            "Record the addresses with contacts, where they are people's.",
        ),
        NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS: Explanation(
            "The helpdesk sent too many mails to unknown senders within the last hour already.",
            "See whether the senders are real; forged mail should stop at the mail server.",
        ),
        NotSentReason.DISCARDED_BY_PERSON: Explanation("An administrator held the mail and threw it away."),
        NotSentReason.IN_SUMMARY: Explanation(
            "Many mails for this employee came shortly after each other: a mail that sums them up has this one."
        ),
    }
)

DELIVERY: Final[Mapping[DeliveryReason, Explanation]] = MappingProxyType(
    {
        DeliveryReason.COLLECTING: Explanation(
            "Many mails for this employee come shortly after each other: they go within ten minutes, in one mail."
        ),
        DeliveryReason.NO_ACCOUNT: Explanation(
            "The helpdesk has no outgoing account, or no address to send from.",
            "Choose both for the helpdesk (helpdesks set --account, --sender-address); the mail goes then.",
        ),
        DeliveryReason.LOGIN_REFUSED: Explanation(
            "The mail server refuses the outgoing account's user name or password.",
            "Check the user name, and set the password again; the mail goes then.",
        ),
        DeliveryReason.NOT_ALLOWED: Explanation(
            "The outgoing account may not send from this mailbox, or in the name of this address.",
            "Read in the server's answer which right is missing, and give it to the app.",
        ),
        DeliveryReason.NOT_SECURE: Explanation(
            "The connection to the mail server cannot be made safe.",
            "Check the outgoing account's security, the server's name and the CA file.",
        ),
        DeliveryReason.SERVER_AWAY: Explanation(
            "The mail server does not answer; it is tried again.",
            "Check name and port of the outgoing account, and whether the server can be reached.",
        ),
        DeliveryReason.REFUSED_FOR_NOW: Explanation("The mail server does not take the mail now; it is tried again."),
        DeliveryReason.OUR_ERROR: Explanation(
            "The mail could not be sent, by an error of our own; it is tried again.", "Tell whoever runs the importer."
        ),
        DeliveryReason.UNKNOWN_RECIPIENT: Explanation(
            "The mail server does not know the recipient's address.", "Check the recipient's mail address."
        ),
        DeliveryReason.REFUSED: Explanation("The mail server refuses the mail.", "Read why in the server's answer."),
        DeliveryReason.GAVE_UP: Explanation(
            "The mail could not be sent for 72 hours and was given up.",
            "Mend the cause that stands beside it, and tell the recipient yourself if need be.",
        ),
        DeliveryReason.BOUNCED: Explanation(
            "The mail was sent and did not arrive: a report came back that it could not be delivered.",
            "Read why in the report, and check the recipient's mail address.",
        ),
    }
)
