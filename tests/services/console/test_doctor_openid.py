"""`doctor` of the OpenID Connect provider: each thing that keeps people from logging in is named with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Check, Finding, Level, all_findings
from services.console.doctor.openid import PART, examine
from tests.servers.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider


@pytest.fixture
async def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    """A provider that is well, and the settings that name it."""
    async with running_provider(tmp_path) as provider:
        for name, value in {
            "DATABASE_URL": "postgresql://127.0.0.1/x",
            "SECRETS_DIR": str(tmp_path),
            "WEB_OIDC_ISSUER": provider.issuer,
            "WEB_OIDC_CLIENT_ID": CLIENT_ID,
            "WEB_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "WEB_OIDC_CA_FILE": str(provider.ca_file),
            "WEB_URL": "https://mail.example.org",
        }.items():
            monkeypatch.setenv(f"IMPORTER_{name}", value)
        yield provider


async def found(seconds: float = 30) -> list[Finding]:
    configuration = DoctorConfiguration(
        database_url=SecretStr("postgresql://127.0.0.1/x"),
        amqp_url=SecretStr("amqp://127.0.0.1/x"),
        rabbitmq_management_url=SecretStr("http://127.0.0.1"),
    )
    return await all_findings([Check(PART, lambda: examine(configuration), seconds)])


async def the_one(level: Level) -> str:
    """The sentence of the only finding that is not well."""
    [one] = [finding for finding in await found() if finding.level is not Level.OK]
    assert one.level is level
    return str(one.sentence)


@pytest.mark.usefixtures("provider")
async def test_a_provider_that_is_well_has_nothing_to_do() -> None:
    findings = await found()
    assert [finding.level for finding in findings] == [Level.OK] * 3
    assert "https://mail.example.org/login/openid/back" in str(findings[0].sentence)
    assert CLIENT_SECRET not in str(findings)


async def test_without_a_provider_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_DATABASE_URL", "postgresql://127.0.0.1/x")
    assert await found() == []


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"issuer": "https://evil.example"}, "another issuer than IMPORTER_WEB_OIDC_ISSUER"),
        ({"token_endpoint": "http://login.example/token"}, "token_endpoint is no https address"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs by none of RS256"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE by S256"),
        (
            {"id_token_signing_alg_values_supported": ["ES256"], "jwks_uri": "https://127.0.0.1:1/"},
            "See that this machine",
        ),
    ],
)
async def test_what_the_provider_says_of_itself_and_is_of_no_use(
    provider: Provider, metadata: dict[str, Any], said: str
) -> None:
    provider.metadata = metadata
    assert said in await the_one(Level.FAIL)


async def test_keys_that_cannot_be_read_or_do_not_sign(provider: Provider) -> None:
    provider.instead["keys"] = JSONResponse({"keys": 7})
    assert "the provider's keys are no list" in await the_one(Level.FAIL)
    del provider.instead["keys"]
    provider.keys = [ECKey.generate_key("P-256", {"kid": "ec"})]
    provider.metadata = {"id_token_signing_alg_values_supported": ["RS256"]}
    assert "none of the provider's keys signs by RS256" in await the_one(Level.FAIL)


@pytest.mark.usefixtures("provider")
async def test_a_certificate_that_nobody_vouches_for_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPORTER_WEB_OIDC_CA_FILE")
    said = await the_one(Level.FAIL)
    assert "certificate verify failed" in said
    assert "IMPORTER_WEB_OIDC_CA_FILE" in said


async def test_a_provider_that_is_away_or_has_no_such_page(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.instead["discovery"] = Response("no", 404)
    assert "answers 404" in await the_one(Level.FAIL)
    monkeypatch.setenv("IMPORTER_WEB_OIDC_ISSUER", "https://127.0.0.1:1")
    assert "does not answer" in await the_one(Level.FAIL)


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_wrong(provider: Provider, minutes: int) -> None:
    provider.ahead = timedelta(minutes=minutes)
    assert "no login is believed: set this one" in await the_one(Level.FAIL)


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("url", "level", "said"),
    [
        (None, Level.WARN, "IMPORTER_WEB_URL is not set"),
        ("http://mail.example.org", Level.FAIL, "which is not https"),
    ],
)
async def test_the_way_back(monkeypatch: pytest.MonkeyPatch, url: str | None, level: Level, said: str) -> None:
    monkeypatch.setenv("IMPORTER_WEB_URL", url or "")
    assert said in await the_one(level)


@pytest.mark.usefixtures("provider")
async def test_settings_that_are_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPORTER_WEB_OIDC_CLIENT_SECRET")
    assert "not at hand" in await the_one(Level.WARN)
    monkeypatch.setenv("IMPORTER_WEB_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.delenv("IMPORTER_WEB_OIDC_CLIENT_ID")
    assert "IMPORTER_WEB_OIDC_CLIENT_ID is not set" in await the_one(Level.FAIL)
    monkeypatch.delenv("IMPORTER_WEB_OIDC_ISSUER")
    monkeypatch.setenv("IMPORTER_WEB_OIDC_ONLY", "true")
    assert "lets nobody in" in await the_one(Level.FAIL)
