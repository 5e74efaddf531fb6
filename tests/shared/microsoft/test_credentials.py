"""What makes a login: sentences for what is missing, and the clouds' hosts."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from shared.errors import Misconfigured
from shared.microsoft.certificate import Certificate
from shared.microsoft.clouds import CLOUDS, cloud_named
from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import SignInRefused
from tests.servers.graph_apps import app_certificate

SECRET = SecretStr("geheim")


@pytest.mark.parametrize(
    ("tenant", "client_id", "secret", "sentence"),
    [
        (None, "app", SECRET, "«Tenant»"),
        ("a/../b", "app", SECRET, "«Tenant»"),
        ("klant.example", None, SECRET, "toepassings-id"),
        ("klant.example", "me@klant.example", SECRET, "toepassings-id"),
        ("klant.example", "app", None, "clientgeheim of een certificaat"),
    ],
)
def test_what_is_missing_is_named(
    tenant: str | None, client_id: str | None, secret: SecretStr | None, sentence: str
) -> None:
    with pytest.raises(SignInRefused, match=sentence):
        AppLogin.of("global", tenant=tenant, client_id=client_id, secret=secret)


def test_an_unknown_cloud_is_named() -> None:
    with pytest.raises(SignInRefused, match="«mars» is niet bekend: kies een van global, us-gov, us-dod, china"):
        cloud_named("mars")


@pytest.mark.parametrize(
    ("name", "token_url", "graph_scope", "mail_scope"),
    [
        (
            "global",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            "https://graph.microsoft.com/.default",
            "https://outlook.office365.com/.default",
        ),
        (
            "us-gov",
            "https://login.microsoftonline.us/t/oauth2/v2.0/token",
            "https://graph.microsoft.us/.default",
            "https://outlook.office365.us/.default",
        ),
        (
            "china",
            "https://login.chinacloudapi.cn/t/oauth2/v2.0/token",
            "https://microsoftgraph.chinacloudapi.cn/.default",
            "https://partner.outlook.cn/.default",
        ),
    ],
)
def test_each_cloud_has_its_own_hosts(name: str, token_url: str, graph_scope: str, mail_scope: str) -> None:
    login = AppLogin.of(name, tenant="t", client_id="c", secret=SECRET)
    assert (login.token_url, login.cloud.graph_scope, login.cloud.mail_scope) == (token_url, graph_scope, mail_scope)


def test_an_operator_may_replace_the_hosts_but_not_by_one_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_MICROSOFT_LOGIN_URL", "https://login.example/")
    monkeypatch.setenv("IMPORTER_MICROSOFT_GRAPH_URL", "https://graph.example:8443")
    cloud = cloud_named("global")
    assert (cloud.login_url, cloud.graph_url) == ("https://login.example", "https://graph.example:8443")
    assert cloud.mail_host == CLOUDS["global"].mail_host
    monkeypatch.setenv("IMPORTER_MICROSOFT_GRAPH_URL", "http://graph.example")
    with pytest.raises(Misconfigured, match="IMPORTER_MICROSOFT_GRAPH_URL"):
        cloud_named("global")


def test_a_certificate_that_has_ended_is_not_even_tried() -> None:
    pem, certificate = app_certificate(ended=True)
    assert Certificate.from_pem(pem).expires_at == certificate.not_valid_after_utc
    with pytest.raises(SignInRefused, match=r"verlopen op \d\d-\d\d-\d{4}: maak een nieuw"):
        AppLogin.of("global", tenant="t", client_id="c", certificate=pem).form("scope")


def _pem(password: bytes | None = None, *, elliptic: bool = False) -> SecretStr:
    good = app_certificate()[0].get_secret_value().encode()
    key = serialization.load_pem_private_key(good, None)
    if elliptic:
        key = ec.generate_private_key(ec.SECP256R1())
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    written = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return SecretStr(written.decode())


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        (SecretStr("geen PEM"), "geen leesbare private sleutel"),
        (_pem(), "geen certificaat dat bij zijn private sleutel hoort"),
        (_pem(b"x"), "heeft een wachtwoord"),
        (_pem(elliptic=True), "RSA"),
    ],
    ids=["nonsense", "key only", "encrypted", "elliptic"],
)
def test_a_pem_that_cannot_be_used_says_why(pem: SecretStr, sentence: str) -> None:
    with pytest.raises(SignInRefused, match=sentence):
        Certificate.from_pem(pem)
