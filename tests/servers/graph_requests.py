"""What Microsoft Graph answers about mail: the requests of `users/{id}/messages` and `mailFolders`.

It refuses what the real one refuses: a sort order whose property is not the first of the filter, `$value` under
mailFolders, more than 1000 a page, ids of another place. What differs: only the properties and filters that a mail
client needs are known (others are 400), and a JSON answer holds little beside what was selected.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from operator import attrgetter
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from tests.servers.graph_faults import graph_error
from tests.servers.graph_mailbox import Folder, GraphMailbox, Message

APP: Final = web.RequestKey("app", str)
"""The client id of the app that asks."""
LARGEST_PAGE: Final = 1000
LARGE: Final = 256 * 1024
"""Bytes from which a mail is written piece by piece, as long as the client takes them."""
MIME_LIMIT: Final = 4 * 1024 * 1024
SIZE_PROPERTY: Final = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08' or id eq 'Long 0x0E08')"

_CONDITION: Final = re.compile(
    r"(receivedDateTime) ge (\S+)|(isRead|isDraft) eq (true|false)|(internetMessageId) eq '(.+)'"
)
_REMOVED: Final = re.compile(rb"(?mi)^(?:X-[\w-]+|Auto-Submitted|Return-Path):.*\r\n(?:[ \t].*\r\n)*")


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.response = graph_error(status, code, message or code)


@dataclass(frozen=True)
class Submitted:
    """A mail that left: from which mailbox, by which way, and the bytes as a recipient gets them."""

    mailbox: str
    way: str
    content: bytes


@dataclass
class GraphMail:
    """Mail of the mailboxes in `mailboxes`, by their address in lower case; `base` is the URL up to the version.

    `grants` has what an app may do in a mailbox. `keeps_message_ids` False: Graph replaces the Message-ID of a draft.
    """

    base: str
    mailboxes: dict[str, GraphMailbox] = field(default_factory=dict)
    grants: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    submitted: list[Submitted] = field(default_factory=list)
    keeps_message_ids: bool = True
    stops_after: int | None = None
    """Bytes of a large mail after which no more is written, until the client goes; None: all is."""
    states: dict[str, tuple[str, dict[str, bool]]] = field(default_factory=dict)
    """Delta queries: by each token that was given, the query's filter, and the messages that it covers, read or not."""
    repeats_pages: int = 0
    """How many times a page comes again in place of the one behind it."""

    def routes(self) -> list[web.RouteDef]:
        """The requests that are known."""
        user = r"/v1.0/users/{user}"
        return [
            web.get(f"{user}/mailFolders", self._answer(self.folders, "Mail.Read")),
            web.post(f"{user}/mailFolders", self._answer(self.make_folder, "Mail.ReadWrite")),
            web.get(f"{user}/mailFolders/{{folder}}", self._answer(self.folder, "Mail.Read")),
            web.get(f"{user}/mailFolders/{{folder}}/childFolders", self._answer(self.folders, "Mail.Read")),
            web.post(f"{user}/mailFolders/{{folder}}/childFolders", self._answer(self.make_folder, "Mail.ReadWrite")),
            web.get(f"{user}/mailFolders/{{folder}}/messages", self._answer(self.messages, "Mail.Read")),
            web.get(f"{user}/mailFolders/{{folder}}/messages/delta", self._answer(self.delta, "Mail.Read")),
            web.get(f"{user}/messages", self._answer(self.messages, "Mail.Read")),
            web.post(f"{user}/messages", self._answer(self.make_draft, "Mail.ReadWrite")),
            web.get(f"{user}/messages/{{id}}", self._answer(self.message, "Mail.Read")),
            web.patch(f"{user}/messages/{{id}}", self._answer(self.change, "Mail.ReadWrite")),
            web.delete(f"{user}/messages/{{id}}", self._answer(self.delete, "Mail.ReadWrite")),
            web.get(f"{user}/messages/{{id}}/$value", self._answer(self.mime, "Mail.Read")),
            web.post(f"{user}/messages/{{id}}/move", self._answer(self.move, "Mail.ReadWrite")),
            web.post(f"{user}/messages/{{id}}/send", self._answer(self.send_draft, "Mail.Send")),
            web.get(f"{user}/messages/{{id}}/attachments", self._answer(self.attachments, "Mail.Read")),
            web.get(f"{user}/messages/{{id}}/attachments/{{file}}/$value", self._answer(self.attachment, "Mail.Read")),
            web.post(f"{user}/sendMail", self._answer(self.send_mail, "Mail.Send")),
        ]

    def _answer(self, handler: Callable[..., Any], right: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                mailbox = self._mailbox(request, right)
                response = await handler(request, mailbox)
            except Refusal as refusal:
                return refusal.response
            assert isinstance(response, web.StreamResponse)
            return response

        return answer

    def _mailbox(self, request: web.Request, right: str) -> GraphMailbox:
        address = request.match_info["user"].lower()
        mailbox = self.mailboxes.get(address)
        if mailbox is None:
            raise Refusal(404, "ResourceNotFound", "Resource could not be discovered.")
        granted = self.grants.get((request[APP], address), set())
        if right not in granted and not (right == "Mail.Read" and "Mail.ReadWrite" in granted):
            raise Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if not mailbox.enabled:
            raise Refusal(404, "MailboxNotEnabledForRESTAPI", "The mailbox is inactive, soft-deleted, or on-premise.")
        return mailbox

    # ── folders ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def folder(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """One folder."""
        return web.json_response(_folder_json(mailbox, _folder(request, mailbox)))

    async def folders(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """Those right under a folder, or under the root; `$filter=displayName eq '…'`."""
        parent = _folder(request, mailbox) if "folder" in request.match_info else None
        children = mailbox.children(parent)
        if condition := request.query.get("$filter"):
            wanted = re.fullmatch(r"displayName eq '(.*)'", condition)
            if wanted is None:
                raise Refusal(400, "ErrorInvalidUrlQueryFilter")
            name = wanted[1].replace("''", "'").casefold()
            children = [each for each in children if each.name.casefold() == name]
        return web.json_response({"value": [_folder_json(mailbox, each) for each in children]})

    async def make_folder(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """A new folder; 409 when there is one of that name."""
        parent = _folder(request, mailbox) if "folder" in request.match_info else None
        name = (await request.json())["displayName"]
        if mailbox.child(parent, name):
            raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        return web.json_response(_folder_json(mailbox, mailbox.make_folder(parent, name)), status=201)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def messages(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """A page of the filtered view. QUIRK: `@odata.nextLink` counts in that view as it is by then."""
        within = _folder(request, mailbox) if "folder" in request.match_info else None
        conditions = _conditions(request.query.get("$filter", ""))
        order = request.query.get("$orderby", "receivedDateTime desc").split()
        if "$orderby" in request.query and conditions and next(iter(conditions)) != order[0]:
            raise Refusal(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
        top, skip = int(request.query.get("$top", "10")), int(request.query.get("$skip", "0"))
        if not 0 < top <= LARGEST_PAGE:
            raise Refusal(400, "ErrorInvalidUrlQuery", "The limit of '1000' for Top query has been exceeded.")
        with mailbox.lock:
            found = mailbox.messages if within is None else mailbox.within(within)
            view = sorted((each for each in found if _fits(each, conditions)), key=attrgetter("received_at", "number"))
            if order[1:] == ["desc"]:
                view.reverse()
        page = {"value": [_message_json(request, each) for each in view[skip : skip + top]]}
        if skip + top < len(view):
            step = 0 if self.repeats_pages else top
            self.repeats_pages -= bool(self.repeats_pages)
            query = urlencode({**request.query, "$skip": skip + step})
            return web.json_response(page | {"@odata.nextLink": f"{self.base}{request.path}?{query}"})
        return web.json_response(page)

    async def delta(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """A page of what changed since a token, or of all. Ten a page, unless a Prefer header says otherwise."""
        token = request.query.get("$deltatoken") or request.query.get("$skiptoken")
        if token is not None and token not in self.states:
            raise Refusal(410, "SyncStateNotFound", "The sync state generation is not found; a full sync is needed.")
        condition, covered = self.states[token] if token else (request.query.get("$filter", ""), {})
        conditions = _conditions(condition)
        if set(conditions) - {"receivedDateTime"}:
            raise Refusal(400, "ErrorInvalidUrlQueryFilter", "A delta query is filtered by receivedDateTime alone.")
        preferred = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("Prefer", ""))
        covered, most = dict(covered), int(preferred[1]) if preferred else 10
        with mailbox.lock:
            there = {each.immutable_id: each for each in mailbox.within(_folder(request, mailbox))}
        changes: list[dict[str, Any]] = []
        for key in [each for each in covered if each not in there][:most]:
            changes.append({"id": key, "@removed": {"reason": "deleted"}})
            del covered[key]
        changed = [each for key, each in there.items() if covered.get(key) is not each.is_read]
        for message in [each for each in changed if _fits(each, conditions)][: most - len(changes)]:
            changes.append(_message_json(request, message))
            covered[message.immutable_id] = message.is_read
        reached = f"{len(self.states)}-{secrets.token_hex(8)}"
        self.states[reached] = (condition, covered)
        kind, name = ("nextLink", "$skiptoken") if len(changes) == most else ("deltaLink", "$deltatoken")
        selected = {"$select": request.query["$select"]} if "$select" in request.query else {}
        link = f"{self.base}{request.path}?{urlencode({**selected, name: reached})}"
        return web.json_response({"value": changes, f"@odata.{kind}": link})

    async def message(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """One message."""
        return web.json_response(_message_json(request, _message(request, mailbox)))

    async def mime(self, request: web.Request, mailbox: GraphMailbox) -> web.StreamResponse:
        """The MIME of a message, in chunks."""
        message = _message(request, mailbox)
        if message.no_mime:  # QUIRK: a 500 that never passes (EXCHANGE: S/MIME, and reports on it)
            raise Refusal(500, "ErrorMimeContentConversionFailed", "The MIME content of this item cannot be converted.")
        if len(message.raw) > LARGE:
            return await self._stream(request, message.raw)
        response = web.Response(body=message.raw, content_type="text/plain")
        response.enable_chunked_encoding()
        return response

    async def _stream(self, request: web.Request, raw: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(raw), LARGE):
            while self.stops_after is not None and start >= self.stops_after:
                if request.transport is None or request.transport.is_closing():
                    return response
                await asyncio.sleep(0.01)
            await response.write(raw[start : start + LARGE])
        return response

    async def attachments(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """The list of attachments."""
        listed = [
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "id": each.id,
                "name": each.name,
                "contentType": each.media_type,
                "size": len(each.content),
                "isInline": False,
                "contentId": None,
            }
            for each in _message(request, mailbox).attachments
        ]
        return web.json_response({"value": listed})

    async def attachment(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """The bytes of one."""
        files = {each.id: each for each in _message(request, mailbox).attachments}
        try:
            return web.Response(body=files[request.match_info["file"]].content)
        except KeyError:
            raise Refusal(404, "ErrorItemNotFound") from None

    # ── changing ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def change(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """PATCH: only isRead may be changed."""
        message, changes = _message(request, mailbox), await request.json()
        if set(changes) != {"isRead"} or not isinstance(changes["isRead"], bool):
            raise Refusal(400, "ErrorInvalidRequest")
        message.is_read = changes["isRead"]
        return web.json_response(_message_json(request, message))

    async def move(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """Move to a folder, by its id or well-known name."""
        message = _message(request, mailbox)
        folder = mailbox.folder((await request.json())["destinationId"])
        if folder is None:
            raise Refusal(404, "ErrorItemNotFound", "The destination folder is not found.")
        mailbox.move(message, folder)
        return web.json_response(_message_json(request, message), status=201)

    async def delete(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """DELETE."""
        mailbox.move(_message(request, mailbox), mailbox.folders["deleteditems"])
        return web.Response(status=204)

    # ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def make_draft(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """A draft from MIME."""
        message = mailbox.deliver(await _mime_of(request, mailbox), folder="drafts")
        message.is_draft = message.is_read = True
        if not self.keeps_message_ids:
            theirs = b"Message-ID: <%d@eurprd.example>\r" % message.number
            message.raw = re.sub(rb"(?mi)^Message-ID: .*", theirs, message.raw)
        return web.json_response(_message_json(request, message), status=201)

    async def send_draft(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """Send a draft; it lies among the sent items afterwards, under the same immutable id."""
        message = _message(request, mailbox)
        if not message.is_draft:
            raise Refusal(400, "ErrorInvalidRequest", "The message is not a draft.")
        message.is_draft = False
        mailbox.move(message, mailbox.folders["sentitems"])
        self._submit(mailbox, "send", message.raw)
        return web.Response(status=202)

    async def send_mail(self, request: web.Request, mailbox: GraphMailbox) -> web.Response:
        """Send MIME at once; a copy lies among the sent items."""
        raw = await _mime_of(request, mailbox)
        mailbox.deliver(raw, folder="sentitems").is_read = True
        self._submit(mailbox, "sendMail", raw)
        return web.Response(status=202)

    def _submit(self, mailbox: GraphMailbox, way: str, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        # QUIRK: in a mailbox where no client used them before, Exchange takes away these headers (docs-contrib #424)
        self.submitted.append(Submitted(mailbox.address, way, _REMOVED.sub(b"", head + b"\r\n") + b"\r\n" + body))


def _folder(request: web.Request, mailbox: GraphMailbox) -> Folder:
    wanted = request.match_info["folder"]
    folder = mailbox.folders.get(wanted.lower()) or next(
        (each for each in mailbox.folders.values() if each.id == wanted), None
    )
    if folder is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
    return folder


def _message(request: web.Request, mailbox: GraphMailbox) -> Message:
    message = mailbox.message(request.match_info["id"])
    if message is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return message


def _conditions(text: str) -> dict[str, str]:
    """Property to value, in their order."""
    conditions = {}
    for each in text.split(" and ") if text else []:
        found = _CONDITION.fullmatch(each)
        if found is None:
            raise Refusal(400, "BadRequest", f"Invalid filter clause: {each}")
        name, value = (group for group in found.groups() if group is not None)
        conditions[name] = value
    return conditions


def _fits(message: Message, conditions: Mapping[str, str]) -> bool:
    facts = {
        "isRead": str(message.is_read).lower(),
        "isDraft": str(message.is_draft).lower(),
        "internetMessageId": message.message_id,
    }
    since = conditions.get("receivedDateTime")
    return (since is None or message.received_at >= datetime.fromisoformat(since)) and all(
        facts[name] == value for name, value in conditions.items() if name in facts
    )


def _folder_json(mailbox: GraphMailbox, folder: Folder) -> dict[str, Any]:
    within = mailbox.within(folder)
    return {
        "id": folder.id,
        "displayName": folder.name,
        "unreadItemCount": sum(not message.is_read for message in within),
        "totalItemCount": len(within),
    }


def _message_json(request: web.Request, message: Message) -> dict[str, Any]:
    immutable = 'IdType="ImmutableId"' in request.headers.get("Prefer", "")
    known: dict[str, Callable[[], Any]] = {
        "id": lambda: message.immutable_id if immutable else message.ordinary_id,
        "receivedDateTime": lambda: _instant(message.received_at),
        "internetMessageId": lambda: message.message_id,
        "isRead": lambda: message.is_read,
        "isDraft": lambda: message.is_draft,
        "parentFolderId": lambda: message.folder.id,
        "from": lambda: _recipient(str(message.parsed["From"] or "")),
        "subject": lambda: str(message.parsed["Subject"] or ""),
        "hasAttachments": lambda: bool(message.attachments),
        "internetMessageHeaders": lambda: [
            {"name": name, "value": str(value)} for name, value in message.parsed.items()
        ],
        "body": lambda: {"contentType": "html", "content": message.html},
    }
    selected = {"id", *request.query["$select"].split(",")} if "$select" in request.query else set(known)
    if unknown := selected - set(known):
        raise Refusal(400, "RequestBroker--ParseUri", f"Could not find a property named {unknown}.")
    facts = {name: known[name]() for name in known if name in selected}
    if expand := request.query.get("$expand"):
        if expand != SIZE_PROPERTY:
            raise Refusal(400, "RequestBroker--ParseUri", f"Could not expand {expand}.")
        facts["singleValueExtendedProperties"] = [{"id": "Integer 0xe08", "value": str(message.size)}]
    return facts


def _recipient(written: str) -> dict[str, Any] | None:
    name, address = parseaddr(written)
    return {"emailAddress": {"name": name, "address": address}} if address else None


async def _mime_of(request: web.Request, mailbox: GraphMailbox) -> bytes:
    """The MIME in a request. Checked: its form, its size, and that the mailbox may send as its From."""
    if request.content_type != "text/plain":
        raise Refusal(415, "UnsupportedMediaType")
    try:
        raw = base64.b64decode(await request.read(), validate=True)
    except binascii.Error:
        raise Refusal(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.") from None
    if len(raw) > MIME_LIMIT:
        raise Refusal(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
    sender = re.search(rb"(?mi)^From: ((?:.*\r\n)(?:[ \t].*\r\n)*)", raw)
    if sender is None or parseaddr(sender[1].decode().replace("\r\n", ""))[1].lower() != mailbox.address.lower():
        raise Refusal(403, "ErrorSendAsDenied", "The user account does not have the right to send as this address.")
    return raw


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
