"""Sending by Microsoft Graph, as the app, from the account's mailbox, shared ones too.

    step                                  a crash behind it leaves                     what the next try does
    POST /messages (MIME): a draft        a draft that no row knows                    finds it by its Message-ID
    its id and Message-ID are committed   a draft                                      finds it unsent, and sends it
    POST /messages/{id}/send: 202         a sent mail whose row says «planned»         finds it sent, and says so
    the row says «sent»                   nothing open

So no crash sends twice, and none loses (DESIGN 9). It rests on the immutable id: it stays when Exchange moves the draft
to the sent items (Microsoft, «Immutable ID with sending mail»). `sendMail` needs one request and one right less, but
cannot be asked whether it went. A copy stays among the mailbox's sent items: it is the proof.

QUIRK: Graph may replace the Message-ID; what the draft has is what comes back in answers and bounces (D6), so that one
is kept. It may take away X- headers and Auto-Submitted. The envelope's sender is the mailbox, whatever `return_path`
says: where it is not the imported one, bounces do not come back to us (docs/exchange.md).
"""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from services.notifier.microsoft import trouble_of
from services.notifier.notification import Account, Secrets
from services.notifier.smtp import Rest
from services.notifier.transport import AccountTrouble, OutgoingMail
from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import GraphRefused, Interrupted, MicrosoftError
from shared.microsoft.graph import GraphClient
from shared.microsoft.patience import Patience
from shared.portal.delivery import DeliveryReason

AT_ONCE: Final = 1
"""Of the four requests that an app may have under way on a mailbox; the others are for who reads it."""
SENT: Final = "202 Accepted (Microsoft Graph)"
SENT_BEFORE: Final = "202 Accepted by an earlier try: it lies among the sent items (Microsoft Graph)"


@dataclass(frozen=True, slots=True)
class _Draft:
    id: str
    message_id: str
    sent: bool


class GraphTransport:
    """One account at Microsoft Graph; its `secrets` belong to its app registration."""

    def __init__(
        self, account: Account, secrets: Secrets, *, rest: Rest | None = None, patience: Patience | None = None
    ) -> None:
        self._account = account
        self._secrets = secrets
        self._rest = rest or Rest()
        self._patience = patience
        self._user = f"/users/{quote(account.mailbox_address or '', safe='@')}"
        self._graph: GraphClient | None = None
        self._opening = asyncio.Lock()
        self._trouble: AccountTrouble | None = None
        self._resting_until = 0.0

    async def send(self, mail: OutgoingMail) -> str:
        """Make a draft, have it kept, send it; or find that an earlier try did (see `Transport`)."""
        if self._trouble is not None and time.monotonic() < self._resting_until:
            raise AccountTrouble(self._trouble.reason, self._trouble.reply, tried=False)
        try:
            reply = await self._send(await self._client(), mail)
        except MicrosoftError as error:
            trouble = trouble_of(error)
            if isinstance(trouble, AccountTrouble):
                self._trouble = trouble
                self._resting_until = time.monotonic() + self._seconds(trouble)
            raise trouble from error
        self._trouble = None
        return reply

    async def check(self) -> str:
        """See `Transport.check`: the app signs in and sees the mailbox; whether it may send, only a mail shows."""
        account = self._account
        try:
            await (await self._client()).get(f"{self._user}/mailFolders/drafts", select="id")
        except MicrosoftError as error:
            raise trouble_of(error) from error
        return (
            f"Microsoft Graph (cloud {account.cloud}), signed in as app {account.username} of tenant {account.tenant}, "
            f"mailbox {account.mailbox_address}"
        )

    async def close_idle(self) -> None:
        """Nothing to do: idle connections close by themselves."""

    async def close(self) -> None:
        """End the connections."""
        if self._graph is not None:
            await self._graph.close()

    async def _send(self, graph: GraphClient, mail: OutgoingMail) -> str:
        draft = await self._earlier(graph, mail)
        if draft is None:
            draft = await self._make(graph, mail)
        if mail.keep_draft is not None and (draft.id, draft.message_id) != (mail.draft_id, mail.message_id):
            await mail.keep_draft(draft.id, draft.message_id)
        if draft.sent:
            return SENT_BEFORE
        await graph.act("POST", f"{self._path(draft.id)}/send")
        return SENT

    async def _earlier(self, graph: GraphClient, mail: OutgoingMail) -> _Draft | None:
        """What an earlier try left in the mailbox, in whatever folder it lies."""
        if mail.draft_id is not None:
            try:
                return _draft(await graph.get(self._path(mail.draft_id), select="id,internetMessageId,isDraft"))
            except GraphRefused as refused:
                # QUIRK: 400 for an id of another mailbox: the account was changed since
                if refused.code != "ErrorItemNotFound" and refused.status != HTTPStatus.BAD_REQUEST:
                    raise
        if not mail.tried_before or "'" in mail.message_id:
            return None
        found = await graph.get(
            f"{self._user}/messages",
            filter=f"internetMessageId eq '<{mail.message_id}>'",
            select="id,internetMessageId,isDraft",
        )
        known = [_draft(each) for each in found.get("value") or ()]
        return next((each for each in known if each.sent), known[0] if known else None)

    async def _make(self, graph: GraphClient, mail: OutgoingMail) -> _Draft:
        return _draft(await graph.post_text(f"{self._user}/messages", base64.b64encode(mail.content)))

    async def _client(self) -> GraphClient:
        async with self._opening:
            if self._graph is None:
                login = AppLogin.of(
                    self._account.cloud,
                    tenant=self._account.tenant,
                    client_id=self._account.username,
                    secret=self._secrets.password,
                    certificate=self._secrets.certificate,
                    ca_file=self._account.ca_file,
                )
                self._graph = await GraphClient.open(login, at_once=AT_ONCE, patience=self._patience)
            return self._graph

    def _seconds(self, trouble: AccountTrouble) -> float:
        """How long the account is left alone; throttling is the client's own business: it knows for how long."""
        return 0.0 if trouble.reason is DeliveryReason.REFUSED_FOR_NOW else self._rest.seconds(trouble.reason)

    def _path(self, draft_id: str) -> str:
        return f"{self._user}/messages/{quote(draft_id, safe='')}"


def _draft(message: Any) -> _Draft:
    try:
        message_id = str(message["internetMessageId"]).strip().removeprefix("<").removesuffix(">")
        return _Draft(str(message["id"]), message_id, sent=not message["isDraft"])
    except (KeyError, TypeError):
        raise Interrupted(
            "Microsoft Graph gaf een concept dat niet te lezen is; het wordt opnieuw geprobeerd."
        ) from None
