"""Whether people can log in to the web console by OpenID Connect: the provider, its keys, and the way back from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Finding, failure, told, warning, well
from services.console.web.configuration import WebConfiguration
from services.console.web.openid.id_token import LEEWAY, NotBelieved
from services.console.web.openid.provider import Metadata, Provider
from services.console.web.openid.settings import BACK, openid_settings
from shared.errors import Misconfigured
from shared.sentences import Sentence

PART: Final = "OpenID Connect"
_FAMILIES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
"""The kind of key that an algorithm signs by, by its first letters."""
_NEEDED: Final = (
    (
        "response_types_supported",
        "code",
        Sentence("The provider takes no authorization code flow, which the web console uses: allow it there."),
    ),
    (
        "code_challenge_methods_supported",
        "S256",
        Sentence("The provider takes no PKCE by S256, which the web console uses: allow it there."),
    ),
)


async def examine(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Nothing is found where this process is not told of a provider."""
    web = WebConfiguration.load(service="web")
    if web.web_oidc_issuer is None and not web.web_oidc_only:
        return
    if configuration.secret_at_hand("web_oidc_client_secret") is None:
        yield warning(
            PART, Sentence("The secret web_oidc_client_secret is not at hand here: the provider was not looked at.")
        )
        return
    try:
        settings = await asyncio.to_thread(openid_settings, web)
    except Misconfigured as trouble:
        yield failure(PART, told(trouble))
        return
    if settings is None:
        return
    yield _way_back(web.web_url)
    provider = Provider(settings)
    try:
        said = await provider.said_of_itself()
        metadata = provider.metadata_of(said)
    except NotBelieved as trouble:
        yield failure(
            PART,
            Sentence(
                "Nobody can log in: %(why)s. See that %(issuer)s is the issuer as the provider writes it, that this "
                "machine reaches it, and that IMPORTER_WEB_OIDC_CA_FILE vouches for it where the machine does not.",
                why=_why(trouble),
                issuer=settings.issuer,
            ),
        )
        return
    for finding in _unfit(said):
        yield finding
    yield _clock(provider)
    yield await _keys(provider, metadata)


def _way_back(web_url: str | None) -> Finding:
    if web_url is None:
        return warning(
            PART,
            Sentence(
                "IMPORTER_WEB_URL is not set, so that the provider sends people back to whatever address they typed: "
                "set it, and register %(back)s after it.",
                back=BACK,
            ),
        )
    parts = urlsplit(web_url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return failure(
            PART,
            Sentence(
                "Providers send nobody back to %(address)s, which is not https: put a proxy with TLS before the web "
                "console and set IMPORTER_WEB_URL.",
                address=f"{web_url}{BACK}",
            ),
        )
    return well(PART, Sentence("People come back at %(address)s: register it so.", address=f"{web_url}{BACK}"))


def _unfit(said: Mapping[str, Any]) -> list[Finding]:
    """What the provider says that it cannot do and we need; of what it does not say nothing is found."""
    return [
        failure(PART, sentence)
        for name, value, sentence in _NEEDED
        if isinstance(offered := said.get(name), list) and value not in offered
    ]


def _clock(provider: Provider) -> Finding:
    ahead = provider.ahead
    if ahead is None:
        return warning(PART, Sentence("The provider does not say what time it has: compare the clocks by hand."))
    seconds = f"{abs(ahead):.0f}"
    if abs(ahead) > LEEWAY:
        return failure(
            PART,
            Sentence(
                "The clocks of the provider and of this machine differ by %(seconds)s seconds, so that no login is "
                "believed: set this one (NTP).",
                seconds=seconds,
            ),
        )
    return well(PART, Sentence("Its clock and this machine's differ by %(seconds)s seconds.", seconds=seconds))


async def _keys(provider: Provider, metadata: Metadata) -> Finding:
    try:
        keys = await provider.keys_of(metadata)
    except NotBelieved as trouble:
        return failure(
            PART,
            Sentence(
                "No login is believed: %(why)s. See that this machine reaches %(address)s.",
                why=_why(trouble),
                address=metadata.jwks_uri,
            ),
        )
    kinds = {_FAMILIES[name[:2]] for name in metadata.algorithms}
    usable = [key for key in keys.keys if key.key_type in kinds]
    if not usable:
        return failure(
            PART,
            Sentence(
                "No login is believed: none of the provider's keys signs by %(algorithms)s. Let it sign by one of "
                "them.",
                algorithms=", ".join(metadata.algorithms),
            ),
        )
    return well(
        PART,
        Sentence(
            "The provider answers over TLS as %(issuer)s and signs by %(algorithms)s; keys: %(count)s.",
            issuer=provider.settings.issuer,
            algorithms=", ".join(metadata.algorithms),
            count=len(usable),
        ),
    )


def _why(trouble: NotBelieved) -> str:
    """With what the connection itself said, such as why the certificate is not trusted."""
    cause = str(trouble.__cause__ or "").strip()
    return f"{trouble}: {cause}" if cause and cause != str(trouble) else str(trouble)
