"""What holds for any mail at all: the fuzzer's targets, tried on what Hypothesis makes up and on mails it breaks."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import MARKER, TARGETS

MAILS = sorted((Path(__file__).parents[2] / "mails").rglob("*.eml"))
FOUND = sorted((Path(__file__).parents[2] / "fuzz" / "found").glob("*/*"))
_LIGHT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FIELDS = [
    b"From: ",
    b"To: ",
    b"Subject: ",
    b"Date: ",
    b"Content-Type: ",
    b"Content-Transfer-Encoding: ",
    b"Content-Disposition: ",
    b"Return-Path: ",
    b"Auto-Submitted: ",
    b"List-Id: ",
    b"X-Failed-Recipients: ",
    b"Final-Recipient: ",
    b"Status: ",
    b"MIME-Version: 1.0",
]
VALUES = [
    b"Jan <jan@b.example>",
    b"<>",
    b"=?utf-8?Q?caf=C3=A9?=",
    b"=?utf-8?B?",
    b"multipart/mixed; boundary=b",
    b"text/html",
    b"multipart/report; report-type=delivery-status; boundary=b",
    b"message/delivery-status",
    b"text/plain; charset=utf-16",
    b"multipart/alternative; boundary=b",
    b"message/rfc822",
    b"base64",
    b"quoted-printable",
    b"rfc822; a@b.example",
    b"Thu, 99 Foo 20260 25:61:61 +9999",
    b"5.1.1",
    b"auto-replied",
    b"\xff\xfe\x00",
    b"attachment; filename*=utf-8''%ff%00",
    b"application/pkcs7-mime",
    b"application/ms-tnef",
    b"text/calendar; method=REPLY",
    "\u202e\u0000".encode(),
]
PIECES = [
    b"\n",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"--b\n",
    b"--b--\n",
    b"<div style='position:fixed'>",
    b"<script>",
    b"</div>",
    b"<img src=data:image/png;base64,aaaa>",
    b"&#0;",
    b"&#xD800;",
    MARKER.encode(),
    b"> ",
    b"begin 644 a.txt\n",
    b"`\nend\n",
    b"-----BEGIN PGP MESSAGE-----\n",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n",
    b"\x78\x9f\x3e\x22",
]

fields = st.builds(lambda name, value: name + value + b"\n", st.sampled_from(FIELDS), st.sampled_from(VALUES))
made_up = st.builds(
    lambda head, rest: b"".join(head) + b"\n" + b"".join(rest),
    st.lists(fields, max_size=8),
    st.lists(st.one_of(fields, st.sampled_from(PIECES), st.binary(max_size=20)), max_size=25),
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """One of the project's mails with a few bytes changed, taken out, or taken from elsewhere in it."""
    content = draw(st.sampled_from(MAILS)).read_bytes()[:20_000]
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(0, 60)))
        put = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8), st.just(content[:60])))
        content = content[:at] + put + content[until:]
    return content


@pytest.mark.parametrize("target", list(TARGETS))
@_LIGHT
@given(content=st.one_of(st.binary(max_size=300), made_up))
def test_any_bytes(target: str, content: bytes) -> None:
    TARGETS[target](content)


@pytest.mark.parametrize("target", ["mail", "head", "html"])
@_LIGHT
@given(content=broken())
def test_any_broken_mail(target: str, content: bytes) -> None:
    TARGETS[target](content)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_before(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())
