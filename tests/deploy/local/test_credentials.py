"""Secrets: random, kept, and nobody else's business."""

from pathlib import Path

from pydantic import SecretStr

from deploy.local.credentials import ensure, keep
from shared.sealing import Keyring

EXPECTED = {
    *(f"database_password_{role}" for role in ("owner", "fetcher", "classifier", "ticket_writer", "notifier")),
    *(f"database_password_{role}" for role in ("console", "web", "ui", "operator", "reconciler")),
    *(f"amqp_password_{user}" for user in ("admin", "fetcher", "classifier", "ticket_writer", "notifier")),
    *(f"amqp_password_{user}" for user in ("console", "reconciler")),
    "alarm_smtp_password",
    "web_oidc_client_secret",
    "alarm_webhook_secret",
    "encryption_keys",
    "message_id_key",
    "installation_id",
}


def test_every_secret_of_the_services_is_made(tmp_path: Path) -> None:
    ensure(tmp_path / "secrets")
    assert {file.name for file in (tmp_path / "secrets").iterdir()} == EXPECTED


def test_only_their_owner_may_read_them(tmp_path: Path) -> None:
    ensure(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    ensure(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    ensure(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_no_two_secrets_are_alike(tmp_path: Path) -> None:
    ensure(tmp_path)
    values = [value for file in tmp_path.iterdir() if (value := file.read_text().strip())]  # the rest a person fills in
    assert len(set(values)) == len(values)


def test_the_encryption_key_is_one(tmp_path: Path) -> None:
    ensure(tmp_path)
    keyring = Keyring.from_secret(SecretStr((tmp_path / "encryption_keys").read_text()))
    assert keyring.open(keyring.public.seal(SecretStr("geheim"))) == SecretStr("geheim")


def test_the_message_id_key_is_32_bytes_in_hexadecimal(tmp_path: Path) -> None:
    ensure(tmp_path)
    assert len(bytes.fromhex((tmp_path / "message_id_key").read_text())) == 32


def test_an_interrupted_draft_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".amqp_password_admin.1").write_text("half")
    assert keep(tmp_path / "amqp_password_admin") != "half"
