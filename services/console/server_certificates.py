"""Certificates for PostgreSQL and RabbitMQ from an authority of one's own: made once, and anew in time.

    FOLDER/authority/key.pem, certificate.pem     signs the others; for nobody but who makes them
    FOLDER/public/ca.pem                          what clients trust: this authority, and earlier ones until they end
    FOLDER/NAME/key.pem, certificate.pem          one server's; NAME is how clients of its own network call it

Each is made anew well before its end, so that whoever runs this at each deployment meets none. All have the form of
RFC 5280, on which Python insists from 3.13 on.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.errors import Misconfigured
from shared.one_line import one_line

AUTHORITY_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=730)
RENEWED_BEFORE_ITS_END: Final = SERVER_LIFE / 2
"""So long before its end a server's certificate is made anew; an authority, so long before it could not sign one."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_OURS: Final = frozenset({"authority", "public"})
"""Folders that are no server's: its key would take the authority's place."""
_CLOCKS_DIFFER: Final = timedelta(hours=1)
_HERE: Final = ("localhost", "127.0.0.1", "::1")
"""Names by which a program on the host of the containers reaches each server."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was looked after: a server's or the authority's certificate, its end, and whether it is a new one."""

    name: str
    ends_at: datetime
    is_new: bool


def make_certificates(folder: Path, servers: Sequence[str], names: Sequence[str], *, now: datetime) -> list[Made]:
    """Make what is missing, and anew what ends soon or lacks a name; the authority first.

    `names` are further names and addresses of all servers. Raises OSError where the folder cannot be written,
    ValueError where a file in it is no key or certificate, Misconfigured for what can be no server's folder.
    """
    for server in servers:
        if not _NAME.fullmatch(server) or server in _OURS:
            raise Misconfigured(f"«{one_line(server)}» cannot be a server: give the name by which its clients call it.")
    authority, is_new = _authority(folder, now)
    made = [Made("authority", authority.certificate.not_valid_after_utc, is_new)]
    for server in servers:
        every_name = tuple(dict.fromkeys((server, *_HERE, *names)))
        made.append(_server(folder / server, authority, every_name, now))
    return made


@dataclass(frozen=True, slots=True, repr=False)
class _Signed:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def _authority(folder: Path, now: datetime) -> tuple[_Signed, bool]:
    earlier = _read(folder / "authority")
    if earlier and earlier.certificate.not_valid_after_utc - now > SERVER_LIFE + RENEWED_BEFORE_ITS_END:
        _trust(folder, [earlier.certificate], now)  # of a folder whose public half was lost too
        return earlier, False
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"Helpdesk importer {now:%Y-%m-%d}")
    certificate = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _trust(folder, [certificate, *([earlier.certificate] if earlier else [])], now)  # before anything is signed by it
    made = _Signed(key, certificate)
    _write(folder / "authority", made)
    return made, True


def _server(folder: Path, authority: _Signed, names: tuple[str, ...], now: datetime) -> Made:
    earlier = _read(folder)
    if earlier and _serves(earlier.certificate, authority, names, now):
        return Made(folder.name, earlier.certificate.not_valid_after_utc, is_new=False)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    certificate = (
        _builder(_subject(folder.name), issuer, key.public_key(), now, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    _write(folder, _Signed(key, certificate))
    return Made(folder.name, certificate.not_valid_after_utc, is_new=True)


def _serves(certificate: x509.Certificate, authority: _Signed, names: tuple[str, ...], now: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, a new one is right
        return False
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.not_valid_after_utc - now > RENEWED_BEFORE_ITS_END
        and certificate.not_valid_before_utc <= now
        and {*held} >= {_general(name) for name in names}
    )


def _trust(folder: Path, authorities: list[x509.Certificate], now: datetime) -> None:
    """Write what clients trust: these, and what they trusted before until it ends."""
    file = folder / "public/ca.pem"
    before = x509.load_pem_x509_certificates(file.read_bytes()) if file.exists() else []
    kept = [one for one in before if one not in authorities and one.not_valid_after_utc > now]
    content = b"".join(_pem(one) for one in (*authorities, *kept))
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(mode=0o755, exist_ok=True)
        _replace(file, content, mode=0o444)


def _read(folder: Path) -> _Signed | None:
    """Key and certificate, if both are there and belong together."""
    try:
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None  # ended between the two: made anew
    return _Signed(key, certificate)


def _write(folder: Path, signed: _Signed) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    key = signed.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace(folder / "key.pem", key, mode=0o400)
    _replace(folder / "certificate.pem", _pem(signed.certificate), mode=0o444)


def _replace(file: Path, content: bytes, *, mode: int) -> None:
    """Write it whole or not at all."""
    draft = file.with_name(f".{file.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
        out.flush()
        os.fchmod(out.fileno(), mode)  # whatever the umask
        os.fsync(out.fileno())
    draft.replace(file)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
