"""What an operator says of the provider, and what is made of it at the start of the console."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from services.console.web.configuration import WebConfiguration
from shared.errors import Misconfigured
from shared.sentences import Sentence
from shared.trust import tls_context

BACK: Final = "/login/openid/back"
"""Where the provider sends people back to, after our own address."""


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """The provider; `claim` names the user at his first login; `only`: nobody comes in by a password.

    `groups_claim` lists his groups; `makes_users`: who is in one that gives rights is made a user.
    """

    issuer: str
    client_id: str
    client_secret: SecretStr
    claim: str
    groups_claim: str
    makes_users: bool
    only: bool
    tls: ssl.SSLContext


def openid_settings(configuration: WebConfiguration) -> OpenIdSettings | None:
    """Those of the configuration, None where it names no provider; Misconfigured where something is missing. Blocks."""
    if configuration.web_oidc_issuer is None:
        if configuration.web_oidc_only:
            raise Misconfigured(
                Sentence(
                    "IMPORTER_WEB_OIDC_ONLY lets nobody in without IMPORTER_WEB_OIDC_ISSUER. Set both, or neither."
                )
            )
        return None
    if configuration.web_oidc_client_id is None:
        raise Misconfigured(
            Sentence(
                "IMPORTER_WEB_OIDC_CLIENT_ID is not set. Set it to the id under which the provider in "
                "IMPORTER_WEB_OIDC_ISSUER knows the web console."
            )
        )
    ca_file = configuration.web_oidc_ca_file
    return OpenIdSettings(
        issuer=configuration.web_oidc_issuer,
        client_id=configuration.web_oidc_client_id,
        client_secret=configuration.secret("web_oidc_client_secret"),
        claim=configuration.web_oidc_claim,
        groups_claim=configuration.web_oidc_groups_claim,
        makes_users=configuration.web_oidc_make_users,
        only=configuration.web_oidc_only,
        tls=tls_context(None if ca_file is None else str(ca_file), "https"),
    )
