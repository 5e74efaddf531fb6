"""Requests to Microsoft Graph as an app.

Every request asks for immutable ids (Microsoft, «Immutable identifiers for Outlook resources»). A 401 is tried once
more with a renewed token. After a 429 or 503 nothing is asked until Retry-After is over. Graph allows an app four
requests at a time on a mailbox: `at_once` is this client's share.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlsplit

import httpx

from shared.dialogue import Step, asking
from shared.dialogue import http as told
from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import GraphRefused, Interrupted, NotSecure, SignInRefused, Unavailable
from shared.microsoft.http import network_trouble, open_client, read_json, require_readable, retry_after
from shared.microsoft.patience import Patience
from shared.microsoft.tokens import TOKENS, Tokens

VERSION: Final = "v1.0"
LARGEST_PAGE: Final = 1000
"""Things a page, where the request itself does not say ($top); a delta query gives ten otherwise."""
PAUSE: Final = timedelta(seconds=10)
"""After a 429 or 503 that does not say how long."""

_THROTTLED: Final = frozenset([httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE])
_MOST_PAGES: Final = 1000
_LONGEST_LINK: Final = 8192
_ID: Final = re.compile(r"[!-~]{1,1000}")
_UNWANTED_LIMIT: Final = 1024 * 1024


def identity(thing: Any) -> str:
    """The id of a message, a folder or an attachment as Graph gave it. Interrupted when it is none."""
    identifier = thing.get("id") if isinstance(thing, dict) else None
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise Interrupted("Microsoft Graph gaf een antwoord dat niet te lezen is; het wordt opnieuw geprobeerd.")
    return identifier


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What came: `size` bytes were written; `complete` is False when there was more. `length` is the whole, if told."""

    size: int
    complete: bool
    length: int | None


class GraphClient:
    """Graph for one app. Raises what `errors` says; close it, or use it as a context."""

    def __init__(
        self, login: AppLogin, client: httpx.AsyncClient, *, at_once: int, patience: Patience, tokens: Tokens
    ) -> None:
        self._login = login
        self._client = client
        self._slots = asyncio.Semaphore(at_once)
        self._patience = patience
        self._tokens = tokens
        self._paused_until = 0.0
        self.host: Final = urlsplit(login.cloud.graph_url).netloc

    @classmethod
    async def open(
        cls, login: AppLogin, *, at_once: int, patience: Patience | None = None, tokens: Tokens = TOKENS
    ) -> Self:
        """A client; nothing is asked yet. NotSecure when the login's CA file cannot be used."""
        patient = patience or Patience()
        client = await open_client(login.ca_file, connections=at_once, patience=patient)
        return cls(login, client, at_once=at_once, patience=patient, tokens=tokens)

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """The JSON of `path`, which begins with a slash, its segments quoted; `query` without dollar signs."""
        return await self._json("GET", self._url(path), params={f"${name}": value for name, value in query.items()})

    async def pages(self, first: dict[str, Any], *, at_most: int = _LONGEST_LINK) -> AsyncIterator[dict[str, Any]]:
        """A first page and those after it, each once; Interrupted where they do not end.

        `at_most`: characters of a link; those of a delta query hold a state.
        """
        page, links = first, set[int]()
        for _ in range(_MOST_PAGES):
            yield page
            link = page.get("@odata.nextLink")
            if link is None:
                return
            if not isinstance(link, str) or len(link) > at_most or hash(link) in links:
                break
            links.add(hash(link))
            page = await self.page(link)
        raise Interrupted(f"{self.host} geeft steeds dezelfde pagina, of pagina's zonder eind.")

    async def page(self, link: str) -> dict[str, Any]:
        """The page that an `@odata.nextLink` or `@odata.deltaLink` names.

        NotSecure when it is not this Graph's: our token would go there.
        """
        if not link.startswith(f"{self._login.cloud.graph_url}/{VERSION}/"):
            raise NotSecure(
                f"{self.host} verwijst voor de volgende pagina naar een ander adres; dat wordt niet gevolgd."
            )
        return await self._json("GET", link)

    async def post(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """POST a JSON object; the JSON answer."""
        return await self._json("POST", self._url(path), json=content)

    async def post_text(self, path: str, content: bytes) -> dict[str, Any]:
        """POST base64 of MIME, which Graph wants to be called text/plain; the JSON answer."""
        return await self._json("POST", self._url(path), content=content, headers={"Content-Type": "text/plain"})

    async def act(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> None:
        """Change something. The status says that it is done: the body, a whole message, is not needed for that."""
        # QUIRK: an action without a body wants Content-Length: 0 (Graph, «message: send»)
        body = {"content": b""} if content is None else {"json": content}
        async with self._answer(method, self._url(path), self._patience.answer, **body) as response:
            with suppress(httpx.HTTPError):
                read = 0
                async for piece in response.aiter_raw():  # read to its end, so that the connection can be kept
                    read += len(piece)
                    if read > _UNWANTED_LIMIT:
                        return

    async def download(self, path: str, into: BinaryIO, limit: int) -> Downloaded:
        """Write the body of `path` into `into`, at most `limit` bytes. Interrupted when it is cut off."""
        written = 0
        async with self._answer("GET", self._url(path), self._patience.download) as response:
            require_readable(response)
            length = response.headers.get("content-length", "")
            whole = int(length) if re.fullmatch("[0-9]{1,15}", length) else None
            async for piece in response.aiter_raw():
                into.write(piece[: limit - written])
                written += len(piece)
                if written > limit:
                    return Downloaded(limit, complete=False, length=whole)
        return Downloaded(written, complete=True, length=whole)

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _url(self, path: str) -> str:
        return f"{self._login.cloud.graph_url}/{VERSION}{path}"

    async def _json(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        async with self._answer(method, url, self._patience.answer, **request) as response:
            return await read_json(response)

    @asynccontextmanager
    async def _answer(self, method: str, url: str, seconds: float, **request: Any) -> AsyncIterator[httpx.Response]:
        """An answer of success, its body still to come; all of it within `seconds`."""
        async with self._slots:
            if (left := self._paused_until - time.monotonic()) > 0:
                raise Unavailable(f"{self.host} vraagt om even te wachten.", after=timedelta(seconds=left))
            try:
                async with asyncio.timeout(seconds):
                    response, step = await self._send(method, url, **request)
                    try:
                        with network_trouble(self.host, answering=True), step.going_on():
                            yield response
                    finally:
                        await response.aclose()
            except TimeoutError:
                raise Interrupted(
                    f"{self.host} was niet binnen {seconds:.0f} seconden klaar; het wordt opnieuw geprobeerd."
                ) from None

    async def _send(self, method: str, url: str, **request: Any) -> tuple[httpx.Response, Step]:
        scope = self._login.cloud.graph_scope
        token = await self._tokens.of(self._login, scope)
        response, step = await self._ask(method, url, token.get_secret_value(), **request)
        if response.status_code == httpx.codes.UNAUTHORIZED:  # it ended early, or was withdrawn
            await response.aclose()
            token = await self._tokens.renewed(self._login, scope, refused=token)
            response, step = await self._ask(method, url, token.get_secret_value(), **request)
        if response.is_success:
            return response, step
        try:
            refusal = await self._refusal(response)
            if isinstance(refusal, GraphRefused):
                step.also(told.code(refusal.code))
            raise refusal
        finally:
            await response.aclose()

    async def _ask(self, method: str, url: str, token: str, **request: Any) -> tuple[httpx.Response, Step]:
        headers = request.pop("headers", {}) | {
            "Authorization": f"Bearer {token}",
            "Prefer": f'IdType="ImmutableId", odata.maxpagesize={LARGEST_PAGE}',
        }
        with network_trouble(self.host), asking(told.asked(method, url)) as step:
            built = self._client.build_request(method, url, headers=headers, extensions=told.trace(), **request)
            response = await self._client.send(built, stream=True)
            step.came = told.came(response.status_code, response.headers)
            return response, step

    async def _refusal(self, response: httpx.Response) -> Exception:
        status = response.status_code
        if response.is_redirect:
            return NotSecure(f"{self.host} verwijst door naar een ander adres; dat wordt niet gevolgd.")
        if status in _THROTTLED:
            after = retry_after(response.headers) or PAUSE
            self._paused_until = time.monotonic() + after.total_seconds()
            return Unavailable(
                f"{self.host} heeft het nu te druk ({status}); na {after.total_seconds():.0f} seconden wordt het "
                "opnieuw geprobeerd.",
                after=after,
            )
        if status == httpx.codes.UNAUTHORIZED:
            return SignInRefused(
                f"{self.host} aanvaardt het token van de app niet (401): controleer of de cloud bij de tenant hoort "
                "en of de app niet is geblokkeerd."
            )
        try:
            given = (await read_json(response)).get("error")
        except Unavailable:
            given = None
        error = given if isinstance(given, dict) else {}
        return GraphRefused(status, str(error.get("code") or ""), str(error.get("message") or ""))
