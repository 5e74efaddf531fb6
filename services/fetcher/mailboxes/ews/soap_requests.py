"""What we ask an EWS server: the SOAP that exchangelib writes for its services, and nothing else of it.

exchangelib knows what each version of Exchange takes. How a request travels and how its answer is read is ours, since
there its traps lie: it takes truncated answers for whole ones, reads byte by byte, asks again by itself, shares
connections by login, and asks for things that a poll does not need (docs/decisions/exchange-web-services.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from exchangelib.account import Identity
from exchangelib.attachments import AttachmentId
from exchangelib.credentials import DELEGATE, IMPERSONATION
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import ExtendedPropertyField, FieldOrder, FieldPath
from exchangelib.folders import Folder, Inbox
from exchangelib.items import Item, MeetingCancellation, MeetingRequest, MeetingResponse, Message, PostItem
from exchangelib.properties import DistinguishedFolderId, FolderId, ItemId, Mailbox
from exchangelib.restriction import Q, Restriction
from exchangelib.services import (
    CreateFolder,
    DeleteItem,
    FindFolder,
    FindItem,
    GetAttachment,
    GetFolder,
    GetItem,
    MoveItem,
    SyncFolderItems,
    UpdateItem,
)
from exchangelib.version import Build as ExchangeBuild
from exchangelib.version import Version

from services.fetcher.mailboxes.ews.answers import TRANSPORT_HEADERS, Build


@dataclass(frozen=True, slots=True)
class Schema:
    """A RequestServerVersion, and the first build that has it."""

    name: str
    build: Build


SCHEMAS: Final = (
    Schema("Exchange2013_SP1", Build(15, 0, 847)),
    Schema("Exchange2010_SP2", Build(14, 2)),
    Schema("Exchange2010_SP1", Build(14, 1)),
    Schema("Exchange2010", Build(14, 0)),
    Schema("Exchange2007_SP1", Build(8, 1)),
)
"""Newest first. Later versions of Exchange take the first one, and it has all that we use."""

INBOX_ID: Final = "inbox"
ROOT_ID: Final = "msgfolderroot"
JUNK_ID: Final = "junkemail"

_ELEMENTS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {each.ELEMENT_NAME: each for each in (Message, MeetingRequest, MeetingResponse, MeetingCancellation, PostItem)}
)
"""Elements that have IsRead; any other is updated as a Message."""

_RECEIVED: Final = FieldPath(field=Item.get_field_by_fieldname("datetime_received"))
_SIZE: Final = FieldPath(field=Item.get_field_by_fieldname("size"))
_MIME: Final = FieldPath(field=Item.get_field_by_fieldname("mime_content"))
_IS_READ: Final = FieldPath(field=Message.get_field_by_fieldname("is_read"))
_IS_DRAFT: Final = FieldPath(field=Item.get_field_by_fieldname("is_draft"))
_PROPERTIES: Final = (
    _RECEIVED,
    *(FieldPath(field=Message.get_field_by_fieldname(name)) for name in (
        "subject", "body", "attachments", "author", "message_id",
    )),
)  # fmt: skip
_NAME: Final = FieldPath(field=Folder.get_field_by_fieldname("name"))


class _TransportHeaders(ExtendedProperty):  # type: ignore[misc]  # exchangelib has no types
    property_tag = TRANSPORT_HEADERS
    property_type = "String"


_HEADERS: Final = FieldPath(field=ExtendedPropertyField("transport_headers", value_cls=_TransportHeaders))
_UNREAD: Final = Restriction(Q(is_read=False), folders=[Inbox(name=INBOX_ID)], applies_to=Restriction.ITEMS)
_OLDEST_FIRST: Final = FieldOrder(field_path=_RECEIVED)


@dataclass(frozen=True, slots=True)
class FolderRef:
    """A folder by its id, or by a name that Exchange itself knows (`distinguished`)."""

    name: str
    distinguished: bool = False


@dataclass(frozen=True, slots=True)
class ToMark:
    """An item that is to be marked read, as it was listed: change key and element may be empty."""

    key: str
    change_key: str
    element: str


class _KnownFolder(DistinguishedFolderId):  # type: ignore[misc]  # exchangelib has no types
    """Of the login's own mailbox too: exchangelib insists on an address there, EWS does not."""

    def clean(self, version: Version | None = None) -> None:
        FolderId.clean(self, version=version)


class _Protocol:
    """What exchangelib's services ask of a protocol."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.credentials = None


class _Account:
    """What exchangelib's services ask of an account; its own would open connections and keep them by login."""

    default_timezone = None  # without it Exchange answers in UTC

    def __init__(self, version: Version, address: str | None, *, impersonate: bool) -> None:
        self.version = version
        self.protocol = _Protocol(version)
        self.access_type = IMPERSONATION if impersonate else DELEGATE
        self.identity = Identity(primary_smtp_address=address)
        self.primary_smtp_address = address


class Requests:
    """Writes the requests for a mailbox in a schema. `address` None is the login's own mailbox."""

    def __init__(self, schema: Schema, address: str | None, *, impersonate: bool, suppress_receipts: bool) -> None:
        build = schema.build
        if not suppress_receipts:  # that attribute is all that our requests differ in between 2013 and 2013 SP1
            build = min(build, Build(15, 0))
        version = Version(ExchangeBuild(build.major, build.minor, build.build), schema.name)
        self._account = _Account(version, address, impersonate=impersonate)
        self._mailbox = Mailbox(email_address=address) if address else None

    def get_folder(self, folder: FolderRef) -> bytes:
        """GetFolder: its id and name."""
        return self._write(GetFolder, folders=[self._id(folder)], additional_fields=[_NAME], shape="IdOnly")

    def find_folders(self, parent: FolderRef, offset: int, count: int) -> bytes:
        """FindFolder: a page of the folders right beneath another (Exchange 2007 gives all at once)."""
        return self._write(
            FindFolder,
            folders=[self._id(parent)],
            additional_fields=[_NAME],
            restriction=None,
            shape="IdOnly",
            depth="Shallow",
            page_size=count,
            offset=offset if self._account.version.build >= ExchangeBuild(14, 0) else 0,
        )

    def create_folder(self, parent: FolderRef, name: str) -> bytes:
        """CreateFolder: a folder for mail."""
        folder = Folder(name=name, folder_class="IPF.Note")
        return self._write(CreateFolder, parent_folder=self._id(parent), folders=[folder])

    def find_unread(self, folder: FolderRef, offset: int, count: int) -> bytes:
        """FindItem: a page of the unread mails, oldest first."""
        return self._write(
            FindItem,
            folders=[self._id(folder)],
            additional_fields=[_RECEIVED, _SIZE, _IS_READ],
            restriction=_UNREAD,
            order_fields=[_OLDEST_FIRST],
            query_string=None,
            shape="IdOnly",
            depth="Shallow",
            calendar_view=None,
            page_size=count,
            offset=offset,
        )

    def sync_items(self, folder: FolderRef, state: str | None, count: int) -> bytes:
        """SyncFolderItems: what changed in the folder since `state`, at most `count` changes; None: all of it."""
        return self._write(
            SyncFolderItems,
            folder=self._id(folder),
            additional_fields=[_RECEIVED, _SIZE, _IS_READ, _IS_DRAFT],
            shape="IdOnly",
            sync_state=state,
            ignore=None,
            max_changes_returned=count,
            sync_scope=None,
        )

    def get_mime(self, keys: Sequence[str], *, with_headers: bool) -> bytes:
        """GetItem: mails as MIME, and `with_headers` the header blocks with which they arrived."""
        return self._get_items(keys, [_MIME, _HEADERS] if with_headers else [_MIME])

    def get_headers(self, key: str) -> bytes:
        """GetItem: the header block with which a mail arrived, alone."""
        return self._get_items([key], [_HEADERS])

    def get_properties(self, key: str, *, with_headers: bool) -> bytes:
        """GetItem: what a mail without MIME is put together from; `with_headers` as in `get_mime`."""
        return self._get_items([key], [*_PROPERTIES, _HEADERS] if with_headers else [*_PROPERTIES])

    def get_attachment(self, key: str) -> bytes:
        """GetAttachment: a file's content, or a mail's MIME."""
        return self._write(
            GetAttachment,
            items=[AttachmentId(id=key)],
            include_mime_content=True,
            body_type=None,
            filter_html_content=None,
            additional_fields=None,
        )

    def get_size(self, key: str) -> bytes:
        """GetItem: a mail's size and its change key."""
        return self._get_items([key], [_SIZE])

    def mark_read(self, mails: Sequence[ToMark]) -> bytes:
        """UpdateItem: IsRead alone, over whatever others changed, with no read receipt where the schema can say so."""
        return self._write(
            UpdateItem,
            items=[
                (
                    _ELEMENTS.get(mail.element, Message)(id=mail.key, changekey=mail.change_key or None, is_read=True),
                    ["is_read"],
                )
                for mail in mails
            ],
            conflict_resolution="AlwaysOverwrite",
            message_disposition="SaveOnly",
            send_meeting_invitations_or_cancellations="SendToNone",
            suppress_read_receipts=True,
        )

    def move(self, keys: Sequence[str], folder: FolderRef) -> bytes:
        """MoveItem."""
        return self._write(MoveItem, items=[ItemId(id=key) for key in keys], to_folder=self._id(folder))

    def delete(self, keys: Sequence[str]) -> bytes:
        """DeleteItem, to the deleted items of the mailbox."""
        return self._write(
            DeleteItem,
            items=[ItemId(id=key) for key in keys],
            delete_type="MoveToDeletedItems",
            send_meeting_cancellations="SendToNone",
            affected_task_occurrences="AllOccurrences",
            suppress_read_receipts=True,
        )

    def _get_items(self, keys: Sequence[str], fields: list[FieldPath]) -> bytes:
        return self._write(GetItem, items=[ItemId(id=key) for key in keys], additional_fields=fields, shape="IdOnly")

    def _id(self, folder: FolderRef) -> FolderId:
        if folder.distinguished:
            return _KnownFolder(id=folder.name, mailbox=self._mailbox)
        return FolderId(id=folder.name)

    def _write(self, service: Callable[..., Any], **arguments: Any) -> bytes:
        writer = service(account=self._account)
        envelope: bytes = writer.wrap(writer.get_payload(**arguments), api_version=self._account.version.api_version)
        return envelope
