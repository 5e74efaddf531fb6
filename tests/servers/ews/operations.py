"""The operations of EWS on a store: what is asked, as XML, and what is answered, as XML.

It refuses what Exchange refuses: a RequestServerVersion that it does not know, SuppressReadReceipts before 2013 SP1, an
update without MessageDisposition, items and folders of others. Written down where it was learnt: services/2006 schemas
and the operations' pages of the Exchange developer documentation; [u] marks what was not seen on a real server.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from tests.servers.ews.faults import DamagedBase64, Fault, FirstPageAgain, OtherItem
from tests.servers.ews.store import Folder, Item, Store, User, new_id

TYPES: Final = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES: Final = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS: Final = "http://schemas.microsoft.com/exchange/services/2006/errors"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
T: Final = f"{{{TYPES}}}"
M: Final = f"{{{MESSAGES}}}"

VERSIONS: Final = (
    "Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
    "Exchange2013_SP1", "Exchange2015", "Exchange2016",
)  # fmt: skip
"""RequestServerVersion, oldest first."""
TRANSPORT_HEADERS: Final = "0x007d"
"""The extended property in which a mail's header block is kept."""
_RECEIPTS_FROM: Final = VERSIONS.index("Exchange2013_SP1")


@dataclass(frozen=True, slots=True)
class Product:
    """A version of Exchange: its build, and the newest RequestServerVersion that it takes."""

    build: tuple[int, int, int, int]
    newest: str


PRODUCTS: Final = {
    "2007": Product((8, 1, 240, 6), "Exchange2007_SP1"),
    "2010": Product((14, 0, 639, 21), "Exchange2010"),
    "2010-sp3": Product((14, 3, 123, 4), "Exchange2010_SP2"),
    "2013": Product((15, 0, 516, 32), "Exchange2013"),
    "2013-sp1": Product((15, 0, 847, 32), "Exchange2013_SP1"),
    "2016": Product((15, 1, 2507, 6), "Exchange2016"),
    "2019": Product((15, 2, 1544, 4), "Exchange2016"),
    "se": Product((15, 2, 2562, 17), "Exchange2016"),
}


class Refused(Exception):
    """A response code; as a SOAP fault where the request as a whole is refused."""

    def __init__(self, code: str, *, fault: bool = False, back_off: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.fault = fault
        self.back_off = back_off


class Operations:
    """What one request asks, for the user who is logged in."""

    def __init__(
        self,
        product: Product,
        stores: dict[str, Store],
        user: User,
        *,
        most_items: int,
        wants_change_key: bool,
        refuses_properties: str | None = None,
    ) -> None:
        self._product = product
        self._stores = stores
        self._user = user
        self._most_items = most_items
        self._wants_change_key = wants_change_key
        self._refuses_properties = refuses_properties
        self._impersonated: str | None = None
        self._version = 0
        self._fault: Fault | None = None

    def answers(self, envelope: Element, fault: Fault | None) -> list[str | Refused]:
        """The response messages' XML, or refusals, of each item that is named. Raises Refused for a SOAP fault."""
        given: list[str | Refused] = []
        for each in _item_by_item(envelope):
            try:
                given.append(self.answer(each, fault))
            except Refused as refused:
                if refused.fault:
                    raise
                given.append(refused)
        return given

    def answer(self, envelope: Element, fault: Fault | None) -> str:
        """The response message's XML, of one item at most. Raises Refused."""
        self._fault = fault
        self._read_header(envelope)
        operation = _operation(envelope)
        handlers: dict[str, Callable[[Element], str]] = {
            "GetFolder": self._get_folder,
            "FindFolder": self._find_folder,
            "CreateFolder": self._create_folder,
            "FindItem": self._find_item,
            "SyncFolderItems": self._sync_folder_items,
            "GetItem": self._get_item,
            "GetAttachment": self._get_attachment,
            "UpdateItem": self._update_item,
            "MoveItem": self._move_item,
            "DeleteItem": self._delete_item,
        }
        name = operation.tag.removeprefix(M)
        if name not in handlers:
            raise Refused("ErrorInvalidRequest", fault=True)
        return handlers[name](operation)

    def _read_header(self, envelope: Element) -> None:
        header = envelope.find(f"{{{SOAP}}}Header")
        asked = None if header is None else header.find(f"{T}RequestServerVersion")
        version = "Exchange2007" if asked is None else asked.get("Version", "")  # as the schema's default
        if version not in VERSIONS or VERSIONS.index(version) > VERSIONS.index(self._product.newest):
            raise Refused("ErrorInvalidServerVersion", fault=True)
        self._version = VERSIONS.index(version)
        address = None if header is None else header.findtext(f".//{T}ConnectingSID/{T}PrimarySmtpAddress")
        if address is not None:
            if address not in self._user.may_impersonate:
                raise Refused("ErrorImpersonateUserDenied", fault=True)
            if address not in self._stores:
                raise Refused("ErrorNonExistentMailbox", fault=True)
            self._impersonated = address

    def _get_folder(self, operation: Element) -> str:
        found = [self._folder(each) for each in operation.iterfind(f"{M}FolderIds/*")]
        return f"<m:Folders>{''.join(_folder_xml(folder) for _, folder in found)}</m:Folders>"

    def _find_folder(self, operation: Element) -> str:
        _, parent = self._parent(operation, "ParentFolderIds")
        view = operation.find(f"{M}IndexedPageFolderView")
        offset = 0 if view is None else int(view.get("Offset", "0"))
        count = len(parent.folders) if view is None else int(view.get("MaxEntriesReturned", "0"))
        page = parent.folders[offset : offset + min(count, self._most_items)]
        body = f"<t:Folders>{''.join(map(_folder_xml, page))}</t:Folders>"
        return _page(body, offset + len(page), len(parent.folders))

    def _create_folder(self, operation: Element) -> str:
        store, parent = self._parent(operation, "ParentFolderId")
        self._check_writable(store)
        name = operation.findtext(f".//{T}DisplayName") or ""
        if any(each.name.casefold() == name.casefold() for each in parent.folders):
            raise Refused("ErrorFolderExists")
        parent.folders.append(made := Folder(name))
        return f"<m:Folders>{_folder_xml(made)}</m:Folders>"

    def _find_item(self, operation: Element) -> str:
        store, folder = self._parent(operation, "ParentFolderIds")
        items = [item for item in folder.items if _matches(item, operation.find(f"{M}Restriction"))]
        order = operation.find(f"{M}SortOrder/{T}FieldOrder")
        if order is None:
            items.reverse()  # [u] newest first, as Outlook's view
        else:
            items.sort(
                key=lambda item: item.received_at or datetime.max.replace(tzinfo=UTC),
                reverse=order.get("Order") == "Descending",
            )
        view = operation.find(f"{M}IndexedPageItemView")
        offset, count = 0, self._most_items
        if view is not None:
            offset, count = int(view.get("Offset", "0")), min(int(view.get("MaxEntriesReturned", "0")), count)
        start = 0 if isinstance(self._fault, FirstPageAgain) else offset
        page = items[start : start + count]
        body = f"<t:Items>{''.join(_item_xml(item, _asked(operation), store) for item in page)}</t:Items>"
        return _page(body, offset + len(page), len(items))

    def _sync_folder_items(self, operation: Element) -> str:
        store, folder = self._parent(operation, "SyncFolderId")
        state = operation.findtext(f"{M}SyncState") or ""
        if state and state not in store.states:
            raise Refused("ErrorInvalidSyncStateData")
        covered = dict(store.states.get(state, {}))
        asked = _asked(operation)
        there = {item.key: item for item in folder.items}
        changes = [
            (key, f'<t:Delete><t:ItemId Id={quoteattr(key)} ChangeKey="AQAAAA=="/></t:Delete>')
            for key in covered
            if key not in there
        ]
        for key, item in there.items():
            if key not in covered:
                changes.append((key, f"<t:Create>{_item_xml(item, asked, store)}</t:Create>"))
            elif covered[key] is not item.is_read:
                changes.append((key, f"<t:ReadFlagChange><t:ItemId Id={quoteattr(key)}/></t:ReadFlagChange>"))
        given = changes[: min(int(operation.findtext(f"{M}MaxChangesReturned") or "0"), self._most_items)]
        for key, _ in given:
            covered.pop(key, None)
            if key in there:
                covered[key] = there[key].is_read
        reached = new_id("state")
        store.states[reached] = covered
        last = "true" if len(given) == len(changes) else "false"
        return (
            f"<m:SyncState>{reached}</m:SyncState><m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange>"
            f"<m:Changes>{''.join(xml for _, xml in given)}</m:Changes>"
        )

    def _get_item(self, operation: Element) -> str:
        store, item, _ = self._item(operation)
        if self._refuses_properties is not None and TRANSPORT_HEADERS in _asked(operation):
            raise Refused(self._refuses_properties, fault=True)
        if item.error is not None:
            raise Refused(item.error)
        if item.no_mime and "item:MimeContent" in _asked(operation):
            raise Refused("ErrorMimeContentConversionFailed")
        if isinstance(self._fault, OtherItem):
            item = next(other for other in store.inbox.items if other is not item)
        xml = _item_xml(item, _asked(operation), store, damaged=isinstance(self._fault, DamagedBase64))
        return f"<m:Items>{xml}</m:Items>"

    def _get_attachment(self, operation: Element) -> str:
        wanted = operation.find(f"{M}AttachmentIds/{T}AttachmentId")
        key = "" if wanted is None else wanted.get("Id", "")
        items = [item for store in self._visible() for folder in store.root.walk() for item in folder.items]
        for attachment in (each for item in items for each in item.attachments if each.key == key):
            if attachment.content is None:
                raise Refused("ErrorItemNotFound")
            content = base64.b64encode(attachment.content).decode()
            known = f"<t:AttachmentId Id={quoteattr(key)}/><t:Name>{_text(attachment.name)}</t:Name>"
            if attachment.is_item:
                mail = f"<t:Message><t:MimeContent CharacterSet='UTF-8'>{content}</t:MimeContent></t:Message>"
                return f"<m:Attachments><t:ItemAttachment>{known}{mail}</t:ItemAttachment></m:Attachments>"
            return (
                f"<m:Attachments><t:FileAttachment>{known}<t:Content>{content}</t:Content></t:FileAttachment>"
                "</m:Attachments>"
            )
        raise Refused("ErrorInvalidAttachmentId")

    def _update_item(self, operation: Element) -> str:
        if operation.get("MessageDisposition") is None:
            raise Refused("ErrorMessageDispositionRequired")
        suppress = self._suppresses(operation)
        store, item, change_key = self._item(operation)
        self._check_writable(store)
        if not change_key and (self._wants_change_key or operation.get("ConflictResolution") != "AlwaysOverwrite"):
            raise Refused("ErrorChangeKeyRequired")
        if change_key != item.change_key and operation.get("ConflictResolution") == "NeverOverwrite":
            raise Refused("ErrorIrresolvableConflict")
        for update in operation.findall(f".//{T}Updates/*"):
            field = update.find(f"{T}FieldURI")
            if update.tag != f"{T}SetItemField" or field is None or field.get("FieldURI") != "message:IsRead":
                raise Refused("ErrorInvalidPropertySet")
            if update.find(f"{T}{item.element}") is None and update.find(f"{T}Message") is None:
                raise Refused("ErrorObjectTypeChanged")
            now_read = (update.findtext(f".//{T}IsRead") or "") in {"true", "1"}
            if now_read and not item.is_read and item.wants_receipt and not suppress:
                store.receipts_sent += 1
            item.is_read = now_read
        item.changed()
        return f"<m:Items>{_item_xml(item, frozenset(), store)}</m:Items>"

    def _move_item(self, operation: Element) -> str:
        store, item, _ = self._item(operation)
        self._check_writable(store)
        target = operation.find(f"{M}ToFolderId/*")
        if target is None:
            raise Refused("ErrorInvalidRequest", fault=True)
        try:
            _, folder = self._folder(target)
        except Refused as refused:
            raise Refused("ErrorToFolderNotFound") from refused
        store.move(item.key, folder)
        return f"<m:Items>{_item_xml(item, frozenset(), store)}</m:Items>"

    def _delete_item(self, operation: Element) -> str:
        suppress = self._suppresses(operation)
        store, item, _ = self._item(operation)
        self._check_writable(store)
        if operation.get("DeleteType") != "MoveToDeletedItems":
            raise Refused("ErrorAccessDenied")  # nothing is ever lost here
        if item.wants_receipt and not item.is_read and not suppress:
            store.receipts_sent += 1  # «not read», RFC 8098 §3.2.6.2 "deleted"
        store.move(item.key, store.distinguished("deleteditems"))
        return ""

    def _suppresses(self, operation: Element) -> bool:
        """Whether no read receipt goes out; the schemas before 2013 SP1 do not know the attribute."""
        value = operation.get("SuppressReadReceipts")
        if value is not None and self._version < _RECEIPTS_FROM:
            raise Refused("ErrorSchemaValidation", fault=True)
        return value in {"true", "1"}

    def _parent(self, operation: Element, name: str) -> tuple[Store, Folder]:
        found = operation.find(f"{M}{name}/*")
        if found is None:
            raise Refused("ErrorSchemaValidation", fault=True)
        return self._folder(found)

    def _folder(self, reference: Element) -> tuple[Store, Folder]:
        key = reference.get("Id", "")
        if reference.tag == f"{T}DistinguishedFolderId":
            store = self._store(reference.findtext(f"{T}Mailbox/{T}EmailAddress"))
            try:
                return store, store.distinguished(key)
            except KeyError:
                raise Refused("ErrorFolderNotFound") from None
        for store in self._visible():
            for folder in store.root.walk():
                if folder.key == key:
                    return store, folder
        raise Refused("ErrorFolderNotFound")

    def _store(self, address: str | None) -> Store:
        address = address or self._impersonated or self._user.mailbox
        if address is None or address not in self._stores:
            raise Refused("ErrorNonExistentMailbox")
        if address != self._impersonated and not self._user.may_open(address):
            raise Refused("ErrorItemNotFound")  # exchangelib #430: no rights look like no folder
        return self._stores[address]

    def _visible(self) -> list[Store]:
        return [
            store
            for address, store in self._stores.items()
            if address == self._impersonated or self._user.may_open(address)
        ]

    def _item(self, operation: Element) -> tuple[Store, Item, str]:
        found = operation.find(f".//{T}ItemId")
        if found is None:
            raise Refused("ErrorSchemaValidation", fault=True)
        for store in self._visible():
            place = store.find(found.get("Id", ""))
            if place is not None:
                return store, place[1], found.get("ChangeKey", "")
        raise Refused("ErrorItemNotFound")

    def _check_writable(self, store: Store) -> None:
        if store.address in self._user.read_only:
            raise Refused("ErrorAccessDenied")


def _item_by_item(envelope: Element) -> list[Element]:
    """The request for each item by itself."""
    count = len(_items(envelope))
    requests = [deepcopy(envelope) for _ in range(count)] if count > 1 else [envelope]
    for number, request in enumerate(requests if count > 1 else []):
        items = _items(request)
        items[:] = [items[number]]
    return requests


def _items(envelope: Element) -> Element:
    operation = _operation(envelope)
    found = operation.find(f"{M}ItemIds")
    found = operation.find(f"{M}ItemChanges") if found is None else found
    return Element("none") if found is None else found


def operation_name(envelope: Element) -> str:
    """What a request asks."""
    return _operation(envelope).tag.removeprefix(M)


def _operation(envelope: Element) -> Element:
    body = envelope.find(f"{{{SOAP}}}Body")
    if body is None or not len(body):
        raise Refused("ErrorInvalidRequest", fault=True)
    return body[0]


def _asked(operation: Element) -> frozenset[str]:
    """The properties that are asked for besides the id, by name; extended ones by their tag."""
    named = {field.get("FieldURI", "") for field in operation.findall(f".//{T}AdditionalProperties/{T}FieldURI")}
    extended = operation.findall(f".//{T}AdditionalProperties/{T}ExtendedFieldURI")
    if any(field.get("PropertyType") != "String" for field in extended):
        raise Refused("ErrorInvalidExtendedProperty")
    return frozenset(named | {f"{int(field.get('PropertyTag', ''), 16):#06x}" for field in extended})


def _matches(item: Item, restriction: Element | None) -> bool:
    if restriction is None:
        return True
    equal = restriction.find(f"{T}IsEqualTo")
    field = None if equal is None else equal.find(f"{T}FieldURI")
    constant = None if equal is None else equal.find(f".//{T}Constant")
    if field is None or constant is None or field.get("FieldURI") != "message:IsRead":
        raise Refused("ErrorUnsupportedPathForQuery")
    return item.is_read == (constant.get("Value") in {"true", "1"})


def _item_xml(item: Item, asked: frozenset[str], store: Store, *, damaged: bool = False) -> str:
    """An item, its properties in the schema's order."""
    parts = []
    if "item:MimeContent" in asked:
        mime = base64.b64encode(store.mime(item.raw)).decode()
        if damaged:
            mime = f"{mime[:8]}*{mime[9:]}"
        parts.append(f'<t:MimeContent CharacterSet="UTF-8">{mime}</t:MimeContent>')
    parts.append(f"<t:ItemId Id={quoteattr(item.key)} ChangeKey={quoteattr(item.change_key)}/>")
    parts += _properties_xml(item, asked)
    if "item:DateTimeReceived" in asked and item.received_at is not None:
        received = item.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # whole seconds, as Exchange gives
        parts.append(f"<t:DateTimeReceived>{received}</t:DateTimeReceived>")
    if "item:Size" in asked and item.tells_size:
        parts.append(f"<t:Size>{len(item.raw) + 1700}</t:Size>")  # with its MAPI properties
    if TRANSPORT_HEADERS in asked and store.keeps_headers:
        parts.append(
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x7d" PropertyType="String"/>'
            f"<t:Value>{_text(item.header_block)}</t:Value></t:ExtendedProperty>"
        )
    if "item:IsDraft" in asked:
        parts.append(f"<t:IsDraft>{'true' if item.is_draft else 'false'}</t:IsDraft>")
    if "message:IsRead" in asked:
        parts.append(f"<t:IsRead>{'true' if item.is_read else 'false'}</t:IsRead>")
    return f"<t:{item.element}>{''.join(parts)}</t:{item.element}>"


def _properties_xml(item: Item, asked: frozenset[str]) -> list[str]:
    """What Exchange knows of a mail besides its MIME."""
    parts, message = [], message_from_bytes(item.raw, policy=SMTP)
    assert isinstance(message, EmailMessage)
    if "item:Subject" in asked and message["Subject"]:
        parts.append(f"<t:Subject>{_text(str(message['Subject']))}</t:Subject>")
    if "item:Body" in asked:
        text = message.get_content() if not message.is_multipart() else ""
        parts.append(f'<t:Body BodyType="Text">{_text(text)}</t:Body>' if text.strip() else '<t:Body BodyType="Text"/>')
    if "item:Attachments" in asked and item.attachments:
        listed = (
            f"<t:{kind}><t:AttachmentId Id={quoteattr(each.key)}/><t:Name>{_text(each.name)}</t:Name>"
            f"<t:ContentType>{_text(each.media_type)}</t:ContentType></t:{kind}>"
            for each in item.attachments
            for kind in ("ItemAttachment" if each.is_item else "FileAttachment",)
        )
        parts.append(f"<t:Attachments>{''.join(listed)}</t:Attachments>")
    if "message:From" in asked and message["From"]:
        name, address = parseaddr(str(message["From"]))
        mailbox = f"<t:Name>{_text(name)}</t:Name><t:EmailAddress>{_text(address)}</t:EmailAddress>"
        parts.append(f"<t:From><t:Mailbox>{mailbox}</t:Mailbox></t:From>")
    if "message:InternetMessageId" in asked and message["Message-ID"]:
        parts.append(f"<t:InternetMessageId>{_text(str(message['Message-ID']))}</t:InternetMessageId>")
    return parts


def _text(text: str) -> str:
    """Text as .NET's XmlWriter gives it to Exchange: CR and control characters as references, even forbidden ones."""
    return "".join(f"&#x{ord(each):X};" if ord(each) < 0x20 and each != "\n" else escape(each) for each in text)


def _folder_xml(folder: Folder) -> str:
    unread = sum(not item.is_read for item in folder.items)
    return (
        f"<t:Folder><t:FolderId Id={quoteattr(folder.key)} ChangeKey='AQAAAA=='/>"
        f"<t:DisplayName>{escape(folder.name)}</t:DisplayName><t:TotalCount>{len(folder.items)}</t:TotalCount>"
        f"<t:UnreadCount>{unread}</t:UnreadCount></t:Folder>"
    )


def _page(body: str, following: int, total: int) -> str:
    last = "true" if following >= total else "false"
    return (
        f'<m:RootFolder IndexedPagingOffset="{following}" TotalItemsInView="{total}" '
        f'IncludesLastItemInRange="{last}">{body}</m:RootFolder>'
    )


def messages_xml(product: Product, operation: str, messages: Sequence[str | Refused]) -> str:
    """The envelope of these response messages."""
    written = "".join(
        _refusal_xml(operation, message) if isinstance(message, Refused) else _success_xml(operation, message)
        for message in messages
    )
    return _envelope(
        product, f"<m:{operation}Response><m:ResponseMessages>{written}</m:ResponseMessages></m:{operation}Response>"
    )


def _success_xml(operation: str, content: str) -> str:
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}'
        f"</m:{operation}ResponseMessage>"
    )


def _refusal_xml(operation: str, refused: Refused) -> str:
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Error">'
        f"<m:MessageText>De server zegt nee.</m:MessageText><m:ResponseCode>{refused.code}</m:ResponseCode>"
        f"<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{_back_off(refused)}</m:{operation}ResponseMessage>"
    )


def fault_xml(product: Product, refused: Refused) -> str:
    """The envelope of a SOAP fault."""
    return _envelope(
        product,
        f'<s:Fault><faultcode xmlns:a="{TYPES}">a:{refused.code}</faultcode>'
        '<faultstring xml:lang="nl-NL">De server zegt nee.</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{ERRORS}">{refused.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">De server zegt nee.</e:Message>{_back_off(refused)}</detail></s:Fault>',
    )


def _back_off(refused: Refused) -> str:
    if refused.back_off is None:
        return ""
    return (
        f'<t:MessageXml xmlns:t="{TYPES}"><t:Value Name="BackOffMilliseconds">{refused.back_off}</t:Value>'
        "</t:MessageXml>"
    )


def _envelope(product: Product, body: str) -> str:
    major, minor, build, revision = product.build
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Header><h:ServerVersionInfo '
        f'MajorVersion="{major}" MinorVersion="{minor}" MajorBuildNumber="{build}" MinorBuildNumber="{revision}" '
        f'xmlns:h="{TYPES}"/></s:Header><s:Body xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">{body}</s:Body></s:Envelope>'
    )
