"""Wrappings for the tests, made by code where a file would be unreadable: TNEF, S/MIME, compressed RTF, mails."""

from __future__ import annotations

import base64
import datetime as dt
import struct
import zlib
from collections.abc import Iterable
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAFElEQVR4nGP8z8DAwMDAxAADCBYAHgsBBYaTZDMAAAAASUVORK5CYII="
)
"""An image of 2 × 3 points."""


def mail(content_type: str, body: bytes, *, encoding: str = "base64", more: str = "") -> bytes:
    """A mail whose only part has this type and these bytes."""
    encoded = base64.encodebytes(body) if encoding == "base64" else body
    head = f"From: Jan <jan@klant.example>\nSubject: Vraag\n{more}MIME-Version: 1.0\nContent-Type: {content_type}\n"
    return head.encode() + f"Content-Transfer-Encoding: {encoding}\n\n".encode() + encoded


def multipart(*parts: bytes, kind: str = "mixed", more: str = "") -> bytes:
    """A mail of these parts, each with its own headers."""
    border = f"grens-{zlib.crc32(b''.join(parts)):08x}"
    head = (
        f'From: Jan <jan@klant.example>\nSubject: Vraag\n{more}Content-Type: multipart/{kind}; boundary="{border}"\n\n'
    )
    delimiter = f"--{border}".encode()
    return head.encode() + b"".join(delimiter + b"\n" + part + b"\n" for part in parts) + delimiter + b"--\n"


def tnef(attributes: Iterable[tuple[int, int, bytes]]) -> bytes:
    """A TNEF stream of attributes: level, identifier, data (MS-OXTNEF 2.1.3)."""
    stream = struct.pack("<IH", 0x223E9F78, 1)
    for level, identifier, data in attributes:
        stream += struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) % 65536)
    return stream


def winmail(*files: tuple[str, bytes], body: Iterable[tuple[int, int, bytes]] = ()) -> bytes:
    """A winmail.dat with these files; `body` are properties of the message."""
    attributes = [(1, 0x00069007, struct.pack("<II", 1252, 0)), (1, 0x00069003, properties(body))]
    for name, content in files:
        attributes += [
            (2, 0x00069002, bytes(14)),
            (2, 0x00018010, b"KORT~1.DAT\x00"),
            (2, 0x0006800F, content),
            (2, 0x00069005, properties([(0x1F, 0x3707, (name + "\x00").encode("utf-16-le"))])),
        ]
    return tnef(attributes)


def properties(values: Iterable[tuple[int, int, bytes]]) -> bytes:
    """A list of MAPI properties: type, tag, value."""
    encoded = [
        struct.pack("<HH", kind, tag)
        + (
            struct.pack("<II", 1, len(value)) + value + bytes(-len(value) % 4)
            if kind == 0x0D or kind >= 0x1E
            else value
        )
        for kind, tag, value in values
    ]
    return struct.pack("<I", len(encoded)) + b"".join(encoded)


def stored_rtf(rtf: bytes) -> bytes:
    """PidTagRtfCompressed that is not compressed."""
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


@cache
def _signer() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jan@klant.example")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def signed(content: bytes) -> bytes:
    """An opaque signature around `content`, in DER (RFC 8551 3.5.2)."""
    key, certificate = _signer()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def open_ended(tag: int, *members: bytes) -> bytes:
    """A BER value of indefinite length (X.690 8.1.3.6)."""
    return bytes((tag, 0x80)) + b"".join(members) + b"\x00\x00"


def signed_in_pieces(*pieces: bytes) -> bytes:
    """As Outlook writes a large signed mail: every length open, the contents in pieces."""
    octets = (bytes((0x04, 0x82)) + len(piece).to_bytes(2, "big") + piece for piece in pieces)
    data = open_ended(0x30, bytes.fromhex("06092a864886f70d010701"), open_ended(0xA0, open_ended(0x24, *octets)))
    algorithms = open_ended(0x31, open_ended(0x30, bytes.fromhex("0609608648016503040201"), b"\x05\x00"))
    return open_ended(
        0x30,
        bytes.fromhex("06092a864886f70d010702"),
        open_ended(0xA0, open_ended(0x30, b"\x02\x01\x01", algorithms, data, open_ended(0x31))),
    )


ENVELOPED = bytes.fromhex("301506092a864886f70d010703a0083006020100a0010000")
"""The beginning of an encrypted mail: what follows says nothing without a key."""
