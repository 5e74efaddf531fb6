"""RFC 2045 6: transfer encodings, of broken mail too; undone once."""

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.parser import parse_mail
from services.classifier.reading.mime.transfer import transfer_decoded


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        pytest.param("base64", b"SGFs\nbG8=", b"Hallo", id="base64"),
        pytest.param("base64", b"SGFs*!bG8", b"Hallo", id="base64-dirt-and-no-padding"),
        pytest.param("base64", b"SGFs=bG8=", b"Hallo", id="base64-padding-in-the-middle"),
        pytest.param('"base64"; x=y', b"SGFsbG8=", b"Hallo", id="quoted-and-with-a-parameter"),
        pytest.param("quoted-printable", b"H=61l=\nlo =ZZ", b"Hallo =ZZ", id="quoted-printable-bad-escape-stays"),
        pytest.param("x-uue", b"begin 644 a.txt\n%2&%L;&\\\n \nend\n", b"Hallo", id="uuencode"),
        pytest.param("uuencode", b"geen begin", b"geen begin", id="uuencode-of-nothing-stays"),
        pytest.param("8bit", b"Hallo", b"Hallo", id="8bit"),
        pytest.param("onzin", b"Hallo", b"Hallo", id="unknown"),
    ],
)
def test_transfer_encodings(encoding: str, body: bytes, expected: bytes) -> None:
    assert transfer_decoded(body, encoding) == expected


def test_the_header_says_which() -> None:
    part = parse_mail(b"Content-Transfer-Encoding: BASE64 \n\nSGFsbG8=", DEFAULT_LIMITS)
    assert part.content == b"Hallo"
