"""What an EWS server answered: values out of the elements of an answer that `answer_reader` read to its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews.answer_reader import MESSAGE, AnswerBroken
from services.fetcher.mailboxes.protocol import LONGEST_KEY, ItemKey, item_key
from services.fetcher.mailboxes.rebuilt_mail import AttachedFile

LONGEST_BACK_OFF: Final = timedelta(hours=1)
TRANSPORT_HEADERS: Final = 0x007D
"""PidTagTransportMessageHeaders, by its property tag: the header block with which a mail arrived."""


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
    messages = [message for message in body.iter() if message.tag.endswith(MESSAGE)]
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
