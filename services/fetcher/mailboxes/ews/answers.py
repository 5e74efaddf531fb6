"""What an EWS server answers: SOAP, read while it comes in.

A mail stands in its answer as base64. It is decoded on the way and written where the caller wants it, so that no mail
is held in memory, one that grows beyond a limit ends there, and its beginning can be had without the rest. An answer
counts only when it was read to its last tag: one that breaks off is no answer, whatever its HTTP status was.
Elements go by their local names; prefixes and namespaces are the server's own affair.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from services.fetcher.mailboxes.protocol import LONGEST_KEY, ItemKey, item_key
from services.fetcher.mailboxes.rebuilt_mail import AttachedFile

LONGEST: Final = 32 * 1024 * 1024
"""Characters of an answer outside of the mail, with ELEMENT for each element; a page of 1,000 mails has 4 million."""
ELEMENT: Final = 512
"""What an element counts for, however short it is written: it takes that much memory, and more."""
TEXT_BYTES: Final = 256 * 1024
"""How much of a mail's base64 is decoded at a time."""
LONGEST_BACK_OFF: Final = timedelta(hours=1)
TRANSPORT_HEADERS: Final = 0x007D
"""PidTagTransportMessageHeaders, by its property tag: the header block with which a mail arrived."""

_BINARY: Final = frozenset(["MimeContent", "Content"])
"""Elements whose text is a mail or an attachment, as base64."""
_MESSAGE: Final = "ResponseMessage"
"""How the names of the elements end that answer for one thing that was asked."""
_SPACE: Final = b" \t\r\n"
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));|\xef\xbf[\xbe\xbf]")
_LEGAL: Final = (range(0x9, 0xB), range(0xD, 0xE), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_CUT_REFERENCE: Final = re.compile(rb"(?:&[#0-9a-zA-Z]{0,12}|\xef\xbf?)\Z")


class AnswerBroken(Exception):
    """The answer ended too early, or is not what it says it is; the text says how, in English."""


class NotEws(Exception):
    """The answer is no SOAP at all: a page for people, say."""


class EwsError(Exception):
    """The server refused, with this response code; `back_off` is how long it wants to be left alone."""

    def __init__(self, code: str, back_off: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.back_off = back_off


@dataclass(frozen=True, order=True, slots=True)
class Build:
    """A version of Exchange, as in ServerVersionInfo."""

    major: int
    minor: int
    build: int = 0
    revision: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"


class MimeDecoder:
    """Base64 text in, in pieces; decoded bytes out to `write`."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._rest = b""
        self._padded = False
        self.size = 0

    def feed(self, text: str) -> None:
        """Decode what is whole of it. Raises AnswerBroken, and what `write` raises."""
        data = self._rest + text.encode("ascii", "replace").translate(None, _SPACE)
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        if not whole:
            return
        if self._padded:
            raise AnswerBroken("the mail's base64 goes on after its end")
        self._padded = data[whole - 1 : whole] == b"="
        try:
            decoded = binascii.a2b_base64(data[:whole], strict_mode=True)
        except binascii.Error as error:
            raise AnswerBroken(f"the mail's base64 is damaged: {error}") from error
        self.size += len(decoded)
        self._write(decoded)

    def close(self) -> None:
        """Raise AnswerBroken when the text ended within a group."""
        if self._rest:
            raise AnswerBroken("the mail's base64 is cut off")


class AnswerReader:
    """Takes an answer in pieces. `close` gives its root; the mail in its nth response message goes to the nth decoder.

    Without decoders it is asked for no mail.
    """

    def __init__(self, decoders: Sequence[MimeDecoder] = ()) -> None:
        self._decoders = decoders
        self._messages = 0
        self._mime: MimeDecoder | None = None
        self._tree = TreeBuilder()
        self._length = 0
        self._depth = 0
        self._fed = False
        self._cut = b""
        self.has_mime = False
        # expat refuses entities that grow (2.4.1 and later); EWS has no document type at all.
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_size = TEXT_BYTES
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, data: bytes) -> None:
        """Read on. Raises AnswerBroken, NotEws, and what the mail's `write` raises."""
        if not self._fed:
            data = data.lstrip()
        if data:
            self._fed = True
            self._parse(self._legal(data), last=False)

    def close(self) -> Element:
        """The whole answer. Raises AnswerBroken when it is not whole."""
        if not self._fed:
            raise AnswerBroken("the answer is empty")
        self._parse(self._cut, last=True)
        return self._tree.close()

    def _legal(self, data: bytes) -> bytes:
        """The data with spaces for what XML cannot hold; the beginning of such a thing, at its end, is kept back.

        QUIRK: Exchange writes every character of a property, those too that XML 1.0 §2.2 forbids (`&#x0;`, U+FFFE). A
        sender who puts one in his header would make an answer of it that cannot be read.
        """
        data = self._cut + data
        cut = _CUT_REFERENCE.search(data, max(0, len(data) - 16))
        self._cut = b"" if cut is None else cut[0]
        data = data[: len(data) - len(self._cut)]
        return _REFERENCE.sub(_legal_reference, data) if b"&#" in data or b"\xef\xbf" in data else data

    def _parse(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            if self._depth == 0 and not last:
                raise NotEws from error
            raise AnswerBroken(f"the answer is not whole: {expat.ErrorString(error.code)}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        if self._depth == 0 and tag != "Envelope":
            raise NotEws
        self._depth += 1
        self._messages += tag.endswith(_MESSAGE)
        self._mime = self._decoder() if tag in _BINARY else None
        self.has_mime = self.has_mime or self._mime is not None
        self._count(ELEMENT + len(tag) + sum(ELEMENT + len(value) for value in attributes.values()))
        self._tree.start(tag, {_local(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if self._mime is not None:
            self._mime.close()
        self._mime = None
        self._tree.end(_local(name))

    def _text(self, text: str) -> None:
        if self._mime is not None:
            self._mime.feed(text)
            return
        self._count(len(text))
        self._tree.data(text)

    def _decoder(self) -> MimeDecoder | None:
        """Of the response message that is being read; an answer with more of them than were asked for has none."""
        place = max(self._messages, 1) - 1
        return self._decoders[place] if place < len(self._decoders) else None

    def _doctype(self, *_: object) -> None:
        raise NotEws

    def _count(self, characters: int) -> None:
        self._length += characters
        if self._length > LONGEST:
            raise AnswerBroken(f"the answer is longer than {LONGEST} characters")


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An item of a page: its id, change key, kind of element, arrival and size, as far as they were told."""

    key: ItemKey
    change_key: str
    element: str
    received_at: datetime | None
    size: int | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was found."""

    folder_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """How a page lies in the whole view, as far as the server tells."""

    total: int | None
    next_offset: int | None
    is_last: bool | None


def server_build(root: Element) -> Build | None:
    """The server's version; None where it does not tell."""
    info = root.find("Header/ServerVersionInfo")
    if info is None:
        return None
    numbers = ("MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber")
    try:
        return Build(*(int(info.get(number, "0")) for number in numbers))
    except ValueError:
        return None


def response_message(root: Element) -> Element:
    """The one response message of an answer. Raises EwsError when it is a refusal, AnswerBroken without any."""
    message = response_messages(root)[0]
    code = _code(message)
    if message.get("ResponseClass") == "Error" or (code != "NoError" and message.get("ResponseClass") != "Warning"):
        raise EwsError(_value(message, "InnerErrorResponseCode") or code, _back_off(message))
    return message


def response_messages(root: Element) -> list[Element]:
    """All response messages, of what was refused too. Raises EwsError for a SOAP fault, AnswerBroken without any."""
    body = root.find("Body")
    if body is None:
        raise AnswerBroken("the answer has no body")
    fault = body.find("Fault")
    if fault is not None:
        raise EwsError(_fault_code(fault), _back_off(fault))
    messages = [message for message in body.iter() if message.tag.endswith(_MESSAGE)]
    if not messages:
        raise AnswerBroken("the answer has no response message")
    return messages


def succeeded(message: Element) -> bool:
    """Whether a response message tells of no refusal and no warning."""
    return _code(message) == "NoError" and message.get("ResponseClass", "Success") == "Success"


def _code(message: Element) -> str:
    return (message.findtext("ResponseCode") or "NoError").strip()


def listed_items(message: Element) -> Iterator[ListedItem]:
    """The items of a page of FindItem, whatever kind they say they are."""
    return _listed(message.findall(".//Items/*"))


def created_items(message: Element) -> list[ListedItem]:
    """The items that SyncFolderItems told came into the folder, no drafts. Raises AnswerBroken where one has no id."""
    created = [item for item in message.findall(".//Changes/Create/*") if not _is_true(item.findtext("IsDraft"))]
    listed = list(_listed(created))
    if len(listed) < len(created):
        raise AnswerBroken("an item has no id")
    return listed


def synchronised(message: Element) -> tuple[str, bool]:
    """The state that SyncFolderItems reached, empty where it tells none, and whether nothing is left after it."""
    return (message.findtext("SyncState") or "").strip(), _is_true(message.findtext("IncludesLastItemInRange", "true"))


def _listed(items: Iterable[Element]) -> Iterator[ListedItem]:
    for item in items:
        item_id = item.find("ItemId")
        if item_id is not None and (key := item_key(item_id.get("Id"))):
            yield ListedItem(
                key,
                item_id.get("ChangeKey", "")[:LONGEST_KEY],
                item.tag,
                moment(item.findtext("DateTimeReceived")),
                _number(item.findtext("Size")),
                _is_true(item.findtext("IsRead")),
            )


def _is_true(written: str | None) -> bool:
    return (written or "").strip().lower() in {"true", "1"}


def item_count(message: Element) -> int:
    """How many items an answer has, those too that have no id."""
    return len(message.findall(".//Items/*"))


def folders(message: Element) -> Iterator[Folder]:
    """The folders in an answer."""
    for folder in message.findall(".//Folders/*"):
        folder_id = folder.find("FolderId")
        if folder_id is not None and (key := folder_id.get("Id")):
            yield Folder(key, (folder.findtext("DisplayName") or "").strip())


def page(message: Element) -> Page:
    """Where a page of FindItem or FindFolder lies; a success may lack RootFolder, and tells nothing of it then."""
    root = message.find("RootFolder")
    if root is None:
        return Page(None, None, None)
    last = root.get("IncludesLastItemInRange")
    return Page(
        _number(root.get("TotalItemsInView")),
        _number(root.get("IndexedPagingOffset")),
        None if last is None else _is_true(last),
    )


def item_id(message: Element) -> tuple[str, str] | None:
    """Id and change key of the one item in an answer."""
    element = message.find(".//Items/*/ItemId")
    return None if element is None else (element.get("Id", ""), element.get("ChangeKey", ""))


def item_size(message: Element) -> int | None:
    """The size of the one item in an answer, in bytes."""
    return _number(message.findtext(".//Items/*/Size"))


def transport_headers(message: Element) -> str:
    """The header block of the one item in an answer; empty where it has none."""
    for item in message.findall(".//Items/*/ExtendedProperty"):
        field = item.find("ExtendedFieldURI")
        if field is not None and _tag(field.get("PropertyTag", "")) == TRANSPORT_HEADERS:
            return item.findtext("Value") or ""
    return ""


def attached_files(message: Element) -> list[AttachedFile]:
    """The attachments of the one item in an answer; a mail among them is a file `.eml`."""
    files = []
    for attachment in message.findall(".//Items/*/Attachments/*"):
        identity = attachment.find("AttachmentId")
        if identity is not None and (key := item_key(identity.get("Id"))):
            name = (attachment.findtext("Name") or "").strip()
            if attachment.tag == "ItemAttachment":
                name = f"{name[:190] or 'bericht'}.eml"
            files.append(AttachedFile(key, name, (attachment.findtext("ContentType") or "").strip()))
    return files


def _tag(written: str) -> int | None:
    """A property tag, in hexadecimal or decimal as Microsoft's schema has it."""
    try:
        return int(written[:10], 0)
    except ValueError:
        return None


def _legal_reference(reference: re.Match[bytes]) -> bytes:
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal or "0")
    return reference[0] if any(code in characters for characters in _LEGAL) else b" "


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _fault_code(fault: Element) -> str:
    for element in fault.iter("ResponseCode"):
        if element.text:
            return element.text.strip()
    for name in ("faultcode", "Code/Subcode/Value", "Code/Value"):
        if text := fault.findtext(name):
            return text.strip().rpartition(":")[2]
    return "Fault"


def _back_off(element: Element) -> timedelta | None:
    milliseconds = _number(_value(element, "BackOffMilliseconds"))
    return None if milliseconds is None else min(timedelta(milliseconds=milliseconds), LONGEST_BACK_OFF)


def _value(element: Element, name: str) -> str | None:
    return next((value.text for value in element.iter("Value") if value.get("Name") == name), None)


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isdecimal() and len(text) <= 15 else None  # noqa: PLR2004 - no size or count has more


def moment(text: str | None) -> datetime | None:
    """A moment as EWS writes it; None for what is none."""
    try:
        told = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
