"""The header block that a server keeps apart from a mail, in front of the mail (SPEC D6, D10, D13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.fetcher.rules.transport_headers import MOST_BYTES, fields_of, missing_fields, written

MIME = (
    b"From: Jan <jan@klant.example>\r\nSubject: Hallo\r\nX-Eigen: 1\r\nContent-Type: text/plain\r\n\r\nX-Body: ja\r\n"
)


@pytest.mark.parametrize(
    ("block", "added"),
    [
        pytest.param("Received: a\r\nReceived: b\r\n", b"Received: a\r\nReceived: b\r\n", id="all of a name, in order"),
        pytest.param("x-eigen: 2\r\nX-Body: nee\r\n", b"X-Body: nee\r\n", id="never beside the mail's own"),
        pytest.param("Content-Type: x/y\r\nMIME-Version: 1.0\r\ncontent-language: nl\r\n", b"", id="no structure"),
        pytest.param("Message-ID: <1@x>\r\nDate: gisteren\r\nFROM: a@b\r\n", b"", id="D13 no identity"),
        pytest.param("A: een\r\n\t twee\n drie\r\n", b"A: een twee drie\r\n", id="unfolded"),
        pytest.param("A: een\rB: twee\x00\x85 drie\r\n", b"A: een B: twee drie\r\n", id="no bare CR, no NUL"),
        pytest.param("A: 1\r\n\r\nB: 2\r\n", b"A: 1\r\n", id="up to the blank line"),
        pytest.param(
            "Microsoft Mail Internet Headers Version 2.0\r\n x\r\nA: 1", b"A: 1\r\n", id="Outlook's first line"
        ),
        pytest.param("A: \u00e9\ud800\r\n", "A: é?\r\n".encode(), id="8-bit"),
        pytest.param("Return-Path: <>\r\nB:\r\n", b"Return-Path: <>\r\nB:\r\n", id="empty"),
    ],
)
def test_D13_what_the_mail_lacks_goes_in_front(block: str, added: bytes) -> None:
    assert missing_fields(MIME, block) == added


@pytest.mark.parametrize("beginning", [b"\r\nFrom: a\r\n\r\n", b"From a@b 09:00\nA: 1\n\n", b"A: 1\rB: 2\r\r", b""])
def test_nothing_goes_in_front_of_what_begins_with_no_field(beginning: bytes) -> None:
    assert missing_fields(beginning, "X: 1\r\n") == b""


def test_a_block_without_end_is_cut_after_a_whole_field() -> None:
    added = missing_fields(MIME, "Authentication-Results: mx\r\n" + "X: " + "y" * 1000 + "\r\n" + "Z: 1\r\n" * 100_000)
    assert added.startswith(b"Authentication-Results: mx\r\nX:")
    assert added.endswith(b"\r\nZ: 1\r\n")
    assert MOST_BYTES - 10 < len(added) <= MOST_BYTES


@given(some.text(some.sampled_from("AB:-é\x00\r\n\t \x85\u2028\ud800"), max_size=200))
def test_no_text_breaks_the_header(block: str) -> None:
    names = [name for name, _ in fields_of(block)]
    lines = written(fields_of(block)).split(b"\r\n")
    assert lines.pop() == b""
    assert [line.partition(b":")[0].decode() for line in lines if not line.startswith(b" ")] == names
    assert all(line.strip() and not {0, 10, 13} & set(line) for line in lines)
