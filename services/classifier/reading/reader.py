"""The bytes of a mail, read: its headers, what was said (whole and above the marker), its images, what it is.

    headers and parts → wrappings opened → files → html with its images in place → lines → marker → kind of mail
    → trimmed → content key

The order is `read_mail`; every step is a rule of its own. `read_head` is the second way, for a mail that could not be
read in time or memory: its headers and first text, html not parsed, images not decoded (SPEC D17); `read_headers`, the
third, leaves the text too. `read_beginning` is
`read_mail` of a mail that was too large to be fetched whole: it knows that the last part was cut by us.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.attachments import Attachments
from services.classifier.reading.automatic.delivery_report import MOST_ID, message_ids, read_delivery_report
from services.classifier.reading.automatic.kind import list_id, tell_automatic
from services.classifier.reading.conclusions import Forwarded
from services.classifier.reading.content_key import content_key
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.mime.address import domain_spellings, is_usable
from services.classifier.reading.mime.address_header import mended_address, parse_addresses
from services.classifier.reading.mime.date import sent_at
from services.classifier.reading.mime.dmarc import dmarc_result
from services.classifier.reading.mime.parser import head_of, parse_mail
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import cut, safe_line, safe_text
from services.classifier.reading.text.body import Contents, find_contents
from services.classifier.reading.text.forwarded import find_attached, find_quoted
from services.classifier.reading.text.html_document import (
    HtmlDocument,
    end_of_pieces,
    has_many_attributes,
    nesting,
    text_as_html,
)
from services.classifier.reading.text.lines import Line, joined, text_lines
from services.classifier.reading.text.reply_marker import MarkerPlace, find_markers, has_content
from services.classifier.reading.text.same_text import says_the_same
from services.classifier.reading.text.subject_prefix import Prefix, prefix_of
from services.classifier.reading.text.trimming import Trimming
from services.classifier.reading.values import AboveMarker, ReadingSettings, ReadMail
from services.classifier.reading.wrappings.crypto import find_crypto
from services.classifier.reading.wrappings.unwrap import Unwrapped, unwrap
from shared.html.plain import stripped
from shared.html.sanitise import ATTACHMENT_SCHEME, sanitise
from shared.messages import Body, MailAddress

_STRIPPED: Final = 4
"""Times the elements that a parser gets, whose text is looked for without one: elements that never end stand first."""
_SHOWN: Final = re.compile(rf'"{ATTACHMENT_SCHEME}:([0-9a-f-]{{36}})"')


@dataclass(frozen=True, slots=True)
class _Said:
    whole: Body
    above: tuple[AboveMarker, ...]
    identity_text: str
    """The text that identifies the mail (`content_key`)."""
    shown: frozenset[uuid.UUID]
    was_cut: bool
    text_of: str = ""
    """The attached message that speaks for the mail."""
    is_forward: bool = False
    reply: Body | None = None
    html_lines: tuple[str, ...] = ()

    @property
    def own_text(self) -> str:
        """What the sender says himself, as far as can be told; '' where the mail shows somebody else's text."""
        if self.is_forward or self.text_of:
            return ""
        above = next(((each.trimmed or each.body) for each in self.above if each.body), None)
        return (above or self.reply or self.whole).text


def read_mail(raw: bytes, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits = DEFAULT_LIMITS) -> ReadMail:
    """Reads a whole mail. Never raises on what is in it, save RecursionError or MemoryError in a limited process."""
    root = parse_mail(raw, limits)
    del raw  # of a large mail there is room for its parts, or for its bytes; who called keeps none either
    return _read(root, None, mail_id, settings, limits)


def read_beginning(
    raw: bytes, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits = DEFAULT_LIMITS
) -> ReadMail:
    """Reads the beginning of a mail, of which our own limit on sizes kept the rest. Raises as `read_mail`."""
    root = parse_mail(raw, limits)
    del raw
    cut = next((part.path for part in root.walk() if part.is_open_ended), None)
    return _read(root, cut, mail_id, settings, limits)


def _read(root: Part, cut_part: str | None, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits) -> ReadMail:
    mail = unwrap(root, limits)
    contents = find_contents(mail.root)
    attachments = Attachments(mail_id, settings, limits, cut_part=cut_part)
    for part in contents.files:
        attachments.take(part, decode=True)
    subject = safe_line(mail.root.headers.text("subject"), limits.subject)
    said = _said(contents, attachments, settings, limits, is_forward=prefix_of(subject) is Prefix.FORWARD)
    return _assembled(mail, said, attachments, settings, limits, head_only=False)


def read_head(raw: bytes, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits = DEFAULT_LIMITS) -> ReadMail:
    """Reads headers and first text alone, by the cheapest means; what else the mail holds is named as unreadable."""
    root = parse_mail(raw[: limits.head_bytes], limits)
    contents = find_contents(root)
    attachments = Attachments(mail_id, settings, limits)
    for part in contents.files:
        attachments.take(part, decode=False)
    plain = "\n".join(part.text for segment in contents.segments for part in segment.plain).strip()
    if not plain:
        rich = (part.text for segment in contents.segments for part in segment.rich if part.is_text)
        plain = re.sub(r"(?<![ \t])[ \t]*+\n\s*\n\s*+", "\n\n", stripped("\n".join(rich))).strip()
    text, was_cut = cut(safe_text(plain), limits.head_bytes, limits.text_lines)
    whole = Body(html=sanitise(text_as_html(text), frozenset()), text=text)
    said = _Said(whole, (), text, frozenset(), was_cut)
    return _assembled(Unwrapped(root, find_crypto(root)), said, attachments, settings, limits, head_only=True)


def read_headers(
    raw: bytes, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits = DEFAULT_LIMITS
) -> ReadMail:
    """Reads the headers of the mail itself, as a mail without a body: sender and subject, whatever follows them."""
    return read_head(head_of(raw[: limits.head_bytes].lstrip(b"\r\n")) + b"\n\n", mail_id, settings, limits)


def _assembled(
    mail: Unwrapped,
    said: _Said,
    attachments: Attachments,
    settings: ReadingSettings,
    limits: Limits,
    *,
    head_only: bool,
) -> ReadMail:
    root = mail.root
    headers = root.headers
    subject = safe_line(headers.text("subject"), limits.subject)
    from_ = _from(root, limits)
    identity = next((mailbox for mailbox in from_ if mailbox.address), MailAddress(address=""))
    writer = identity
    if not writer.address:  # a machine may stand in Sender or in the return path alone
        others = (*_addresses(root, "sender", limits), *_addresses(root, "return-path", limits))
        writer = next(iter(others), identity)
    report = read_delivery_report(
        root,
        sender=writer.address,
        sender_name=writer.name or safe_line(headers.text("from"), limits.name),
        subject=subject,
        text=said.whole.text,
        limits=limits,
    )
    message_id = next(iter(message_ids(headers.text("message-id"))), None)
    date = headers.text("date")
    moment = sent_at(date)
    return ReadMail(
        message_id=safe_line(message_id, MOST_ID) or None if message_id else None,
        in_reply_to=_references(root, "in-reply-to", limits),
        references=_references(root, "references", limits),
        subject=subject,
        sent_at=moment,
        from_=from_,
        sender=_addresses(root, "sender", limits),
        reply_to=_addresses(root, "reply-to", limits),
        return_path=_addresses(root, "return-path", limits),
        return_path_empty=headers.text("return-path").strip() == "<>",
        to=_addresses(root, "to", limits),
        cc=_addresses(root, "cc", limits),
        dmarc=dmarc_result(
            headers,
            settings.trusted_authserv_ids,
            domain=next((each.address for each in from_ if is_usable(each.address)), "").rpartition("@")[2],
        ),
        automatic=tell_automatic(
            root,
            sender=writer.address,
            subject=subject,
            text=said.whole.text,
            own_text=said.own_text,
            report=report,
            own_list_ids=settings.own_list_ids,
            fed_by_rule=settings.fed_by_rule,
        ),
        bounced=report.recipients if report else (),
        returned_message_ids=report.returned_message_ids if report else (),
        whole=said.whole,
        above=said.above,
        images=attachments.images(said.shown),
        left_out=attachments.left_out,
        our_errors=attachments.our_errors,
        content_key=content_key(
            message_id=message_id,
            sender=identity.address,
            sent_at=moment,
            date=date,
            subject=subject,
            text=said.identity_text,
            recipients=() if report is None else tuple(each.recipient for each in report.recipients),
        ),
        text_of=said.text_of,
        list_id=safe_line(list_id(headers), limits.subject),
        body_cut=said.was_cut,
        damaged=any(part.is_cut_off for part in root.walk()),
        head_only=head_only,
        crypto=mail.crypto,
        forwarded=_forwarded(root, said, subject, limits) if report is None else None,
        reply=said.reply if report is None else None,  # a server quotes nothing that it does not mean to say
    )


def _forwarded(root: Part, said: _Said, subject: str, limits: Limits) -> Forwarded | None:
    """The original sender: of an attached message, else named in the text, else in what the html shows."""
    return (
        find_attached(root, limits)
        or find_quoted(said.whole.text.split("\n"), subject, limits)
        or find_quoted(said.html_lines, subject, limits)
    )


def _addresses(root: Part, name: str, limits: Limits) -> tuple[MailAddress, ...]:
    return parse_addresses(root.headers.all(name), limits)


def _from(root: Part, limits: Limits) -> tuple[MailAddress, ...]:
    """The mailboxes in From; one that a mailer mangled counts where no other header names somebody elsewhere.

    Whoever forges a mail could hide its domain from the server that checks it (DMARC), and show it to us.
    """
    found = _addresses(root, "from", limits)
    if any(is_usable(mailbox.address) for mailbox in found):
        return found
    mended = mended_address(root.headers.all("from"), limits)
    if mended is None:
        return found
    others = (*_addresses(root, "sender", limits), *_addresses(root, "return-path", limits))
    domains = {_domain(other) for other in others if is_usable(other.address)}
    return (mended,) if domains <= {_domain(mended)} else found


def _domain(mailbox: MailAddress) -> str:
    return domain_spellings(mailbox.address.rpartition("@")[2])[0]


def _references(root: Part, name: str, limits: Limits) -> tuple[str, ...]:
    ids = [safe_line(reference, MOST_ID) for reference in message_ids(root.headers.text(name))]
    return tuple(dict.fromkeys(ids))[: limits.references]


def _said(
    contents: Contents, attachments: Attachments, settings: ReadingSettings, limits: Limits, *, is_forward: bool
) -> _Said:
    """All readings of the body. Html leads, since every mail has it here: plain text is shown as html too."""
    plain, plain_cut = cut(safe_text(_plain_text(contents)), limits.text, limits.text_lines)
    source, source_cut = _html_source(contents, plain, limits)
    document = HtmlDocument(source)
    document.place_images(attachments.find)
    lines = document.lines()
    html_text, html_text_cut = cut(safe_text(joined(lines)), limits.text, limits.text_lines)
    whole_html = _shown_html(document, attachments)
    shown = _ids(whole_html)
    has_html = any(segment.rich for segment in contents.segments)
    if has_html and not says_the_same(plain, html_text):
        plain = ""
    plain = attachments.named_in(plain)
    text = plain.strip("\n").rstrip() if plain.strip() else html_text
    attached = [uuid.UUID(identity) for identity in sorted(attachments.ids) if uuid.UUID(identity) not in set(shown)]
    order = [image.id for image in attachments.images(frozenset())]

    def body(html: str, text: str) -> Body:
        return Body(html=html, text=text, attachment_ids=tuple(_in_order({*_ids(html), *attached}, order)))

    trimming = Trimming(
        has_html=has_html,
        has_text=bool(plain.strip()),
        is_forward=is_forward,
        show=lambda trimmed, text: body(_shown_html(trimmed, attachments), text),
    )
    whole = body(whole_html, text)
    reply = trimming.of(document, lines, text)

    above: list[AboveMarker] = []
    for place in reversed(find_markers(lines[: limits.text_lines], settings.markers)):
        # from the last place upwards: each cut leaves the lines above it as they were
        if not has_content(lines[: place.quote_at]):
            above.append(AboveMarker(place.marker, None))
            continue
        document.cut(lines[place.quote_at])
        said = body(
            _shown_html(document, attachments), _text_above(place, text, lines, plain_leads=bool(plain.strip()))
        )
        above.append(AboveMarker(place.marker, said, trimming.of(document, lines[: place.quote_at], said.text)))
    return _Said(
        whole=whole,
        above=tuple(reversed(above)),
        identity_text=html_text if any(segment.has_html for segment in contents.segments) else text,
        shown=frozenset(shown),
        was_cut=plain_cut or source_cut or html_text_cut,
        is_forward=is_forward,
        reply=reply,
        html_lines=tuple(line.text for line in lines) if has_html else (),
        text_of=attachments.name_of(contents.stands_in) if contents.stands_in and contents.stands_in.attached else "",
    )


def _plain_text(contents: Contents) -> str:
    """The plain text of the whole mail; '' where a piece is said in html only, so that the html's text is taken."""
    pieces = []
    for segment in contents.segments:
        piece = "\n".join(part.text for part in segment.plain)
        if not piece.strip() and segment.has_html:
            return ""
        if segment.plain:
            pieces.append(piece)
    return "\n".join(pieces)


def _html_source(contents: Contents, plain: str, limits: Limits) -> tuple[str, bool]:
    """The whole mail as one html text, and whether its end was cut off."""
    if not any(segment.has_html for segment in contents.segments) and all(
        not segment.rich for segment in contents.segments
    ):
        return text_as_html(plain), False
    rich = {part.path: part.text for segment in contents.segments for part in segment.rich if part.is_text}
    said = "".join(rich.values()).lower()
    pieces = []
    for segment in contents.segments:
        if not segment.rich:
            pieces.append(text_as_html("\n".join(part.text for part in segment.plain)))
        for part in segment.rich:
            if part.media_type == "text/html":
                pieces.append(rich[part.path].replace("\x00", ""))
            elif part.is_text:
                pieces.append(text_as_html(rich[part.path]))
            elif not (part.content_id and f"cid:{part.content_id.lower()}" in said):
                pieces.append(f'<div><img src="cid:part:{part.path}"></div>')  # the client shows it here
    whole = "\n".join(pieces)
    end = min(limits.html, end_of_pieces(whole, limits.html_pieces))
    source = whole[:end]
    if nesting(source) > limits.html_depth or has_many_attributes(source):
        if not plain.strip():
            end = min(limits.html, end_of_pieces(whole, _STRIPPED * limits.html_pieces))
            shown = (" ".join(line.split()) for line in stripped(whole[:end]).splitlines())
            plain, _ = cut("\n".join(shown).strip(), limits.text, limits.text_lines)
        return text_as_html(plain), True
    return source, len(whole) > end


def _shown_html(document: HtmlDocument, attachments: Attachments) -> str:
    return safe_text(sanitise(document.html(), attachments.ids)).strip()


def _text_above(place: MarkerPlace, text: str, lines: list[Line], *, plain_leads: bool) -> str:
    """The text above a marker: of the plain text where that has the marker too, else of what the html shows."""
    if plain_leads:
        plain_lines = text_lines(text)
        for marker in find_markers(plain_lines, (place.marker,)):
            above = plain_lines[: marker.quote_at]
            if any(not line.is_blank for line in above):
                return "\n".join(line.text for line in above).strip("\n").rstrip()
    return safe_text(joined(lines[: place.quote_at]))


def _ids(html: str) -> list[uuid.UUID]:
    return [uuid.UUID(identity) for identity in dict.fromkeys(_SHOWN.findall(html))]


def _in_order(chosen: set[uuid.UUID], order: list[uuid.UUID]) -> list[uuid.UUID]:
    return [identity for identity in order if identity in chosen]
