"""A request as the pages see it: who asks, with which database, and how a form of ours is told from another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request

from services.console.catalogue import Texts
from services.console.queues import MonitoringConfiguration
from services.console.web.configuration import WebConfiguration
from services.console.web.openid.provider import Provider
from services.console.web.tokens import form_token
from services.console.web.translations import preferred, texts_of
from services.console.web.visitors import Visitor
from shared.database.pool import Pool
from shared.errors import ImporterError

SESSION_COOKIE: Final = "helpdesk_session"
VISIT_COOKIE: Final = "helpdesk_visit"
"""Of who is not logged in: what the token of the login form stands on."""
TOKEN_FIELD: Final = "form_token"  # noqa: S105 - the name of a field
DEFAULT_TIME_ZONE: Final = "Europe/Amsterdam"


class Refusal(ImporterError):
    """The request is not answered as it was asked; the text is a sentence in the visitor's language."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class House:
    """What all requests share."""

    configuration: WebConfiguration
    monitoring: MonitoringConfiguration
    pool: Pool
    stop: asyncio.Event
    """Set when the service ends: streams end then."""
    openid: Provider | None = None
    """Where people log in besides, or instead."""

    @property
    def takes_passwords(self) -> bool:
        """Whether anybody comes in by a password."""
        return self.openid is None or not self.openid.settings.only


@dataclass(frozen=True, slots=True)
class Visit:
    """One request; `cookie` is what the browser holds, on which the tokens of its forms stand."""

    request: Request
    house: House
    visitor: Visitor | None
    cookie: str

    @property
    def pool(self) -> Pool:
        """The database, as importer_web."""
        return self.house.pool

    @property
    def who(self) -> Visitor:
        """The visitor of a page that asks for one."""
        if self.visitor is None:
            raise AssertionError("this page is open to everybody")
        return self.visitor

    @property
    def language(self) -> str:
        """Of the visitor, or what the browser of somebody unknown prefers."""
        return self.visitor.language if self.visitor else preferred(self.request.headers.get("accept-language", ""))

    @property
    def texts(self) -> Texts:
        """The texts of that language."""
        return texts_of(self.language)

    def surroundings(self) -> Mapping[str, Any]:
        """What every html page needs beside its own values."""
        return {
            "language": self.language,
            "time_zone": self.visitor.time_zone if self.visitor else DEFAULT_TIME_ZONE,
            "visitor": self.visitor,
            "nonce": self.request.scope["nonce"],
            "form_token": form_token(self.cookie),
            "path": self.request.url.path,
        }
