"""RFC 2045 6: transfer encodings, of broken mail too; undone once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime import transfer
from services.classifier.reading.mime.parser import parse_mail
from services.classifier.reading.mime.transfer import decode_base64, transfer_decoded


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
    assert transfer_decoded(b"x" + body + b"=x", 1, 1 + len(body), encoding) == expected


_PIECES = st.lists(st.sampled_from([b"QUJD", b"QQ", b"=", b"==", b"\r\n", b" ", b"Q", b"*", b"QUI="]), max_size=12)


@given(pieces=_PIECES, size=st.integers(1, 9))
def test_base64_in_pieces_is_as_base64_in_one(pieces: list[bytes], size: int) -> None:
    body = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_PIECE", size)
        assert transfer_decoded(body, 0, len(body), "base64") == decode_base64(body)


def test_sentences_that_are_called_base64_are_none() -> None:
    body = b"Goedemorgen,\r\n\r\nDe kassa doet het niet meer, de lade ook niet.\r\nKunt u komen kijken?\r\n"
    assert transfer_decoded(body, 0, len(body), "base64") == body


def test_the_header_says_which() -> None:
    part = parse_mail(b"Content-Transfer-Encoding: BASE64 \n\nSGFsbG8=", DEFAULT_LIMITS)
    assert part.content == b"Hallo"
