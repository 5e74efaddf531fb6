"""Passwords and keys of an instance: made once, one file each, readable by their owner alone."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def _password() -> str:
    return secrets.token_hex(16)


def _encryption_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def _hash_key() -> str:
    return secrets.token_hex(32)


def _to_be_filled_in() -> str:
    """That of a server which is not ours; nobody needs it before he names that server."""
    return ""


DATABASE_ROLES = (
    "owner", "fetcher", "classifier", "ticket_writer", "notifier", "console", "web", "ui", "operator", "reconciler",
)  # fmt: skip
BROKER_USERS = ("admin", "fetcher", "classifier", "ticket_writer", "notifier", "console", "reconciler")

_MAKERS: dict[str, Callable[[], str]] = {
    **{f"database_password_{role}": _password for role in DATABASE_ROLES},
    **{f"amqp_password_{user}": _password for user in BROKER_USERS},
    "encryption_keys": _encryption_key,
    "message_id_key": _hash_key,
    "installation_id": _hash_key,
    "alarm_webhook_secret": _hash_key,
    "alarm_smtp_password": _to_be_filled_in,
    "web_oidc_client_secret": _to_be_filled_in,
}


def keep(file: Path, make: Callable[[], str] = _password) -> str:
    """The secret in `file`; made first when it is not there yet (mode 0600, whole or not at all)."""
    if not file.exists():
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
            out.write(make() + "\n")
        draft.rename(file)
    return file.read_text(encoding="ascii").strip()


def ensure(folder: Path) -> None:
    """Every secret that the services expect in IMPORTER_SECRETS_DIR; those that are there stay as they are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, make in _MAKERS.items():
        keep(folder / name, make)
