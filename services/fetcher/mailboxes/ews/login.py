"""Logging in at an EWS server: by NTLM before Basic, as its 401 offers, on each connection anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from spnego.exceptions import SpnegoError

NTLM: Final = "NTLM"
BASIC: Final = "Basic"

UNAUTHORIZED: Final = 401


class Login(AuthBase):
    """Logs in by what the server offers, on each connection anew."""

    def __init__(self, username: str, password: str) -> None:
        self._ntlm = HttpNtlmAuth(username, password)
        self._basic = HTTPBasicAuth(username.encode(), password.encode())
        self.kind: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.kind == BASIC:
            return self._basic(request)
        request.headers["Connection"] = "Keep-Alive"  # NTLM logs in the connection, not a request
        request.register_hook("response", self._answer)
        return request

    def _answer(self, response: requests.Response, **how: Any) -> requests.Response:
        if response.status_code != UNAUTHORIZED:
            return response
        offered = offers(response.headers)
        if "ntlm" in offered:
            self.kind = NTLM
            return self._go_through_ntlm(response, **how)
        if "basic" in offered:
            self.kind = BASIC
            for _ in response.raw.stream():
                pass
            response.close()
            again = self._basic(response.request.copy())
            answered: requests.Response = response.connection.send(again, **how)
            answered.history.append(response)
            return answered
        return response

    def _go_through_ntlm(self, response: requests.Response, **how: Any) -> requests.Response:
        """QUIRK: requests_ntlm stumbles over a server that ends the login half-way, with errors of Python's own."""
        try:
            return self._ntlm.response_hook(response, **how)
        except (PermissionError, SpnegoError) as error:  # no challenge, or one that cannot be answered
            raise LoginInterrupted from error
        except KeyError as error:
            if error.args != ("www-authenticate",):  # the answer that should hold the challenge has no such header
                raise
            raise LoginInterrupted from error
        except AttributeError as error:
            if error.obj is not None:  # the socket of an answer that the server closed behind it
                raise
            raise LoginInterrupted from error


class LoginInterrupted(Exception):
    """The server began an NTLM login and did not go on with it."""


def offers(headers: Mapping[str, str]) -> frozenset[str]:
    """The ways of logging in that WWW-Authenticate names, in lower case (RFC 9110 §11.6.1)."""
    words = (part.split() for part in headers.get("WWW-Authenticate", "").split(","))
    return frozenset(word[0].lower() for word in words if word and "=" not in word[0])
