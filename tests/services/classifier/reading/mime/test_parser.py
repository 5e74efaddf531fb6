"""RFC 2045, 2046: the tree of parts, of broken mail too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.mime.parser import head_of, parse_mail


def types(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> list[tuple[str, str]]:
    return [(part.path, part.media_type) for part in parse_mail(raw, limits).walk()]


MIXED = b'Content-Type: multipart/mixed; boundary="%b"\n\n'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"Subject: x\n\ntekst", [("1", "text/plain")], id="no-mime"),
        pytest.param(b"", [("1", "text/plain")], id="empty"),
        pytest.param(b"\r\n \r\nSubject: x\r\n\r\ny", [("1", "text/plain")], id="blank-lines-first"),
        pytest.param(
            MIXED % b"b" + b"voor\n--b\n\neen\n--b\nContent-Type: text/html\n\n<p>\n--b--\nna",
            [("", "multipart/mixed"), ("1", "text/plain"), ("2", "text/html")],
            id="two-parts-preamble-and-epilogue",
        ),
        pytest.param(
            MIXED % b"b" + b"--b\n\neen",
            [("", "multipart/mixed"), ("1", "text/plain")],
            id="no-closing-delimiter",
        ),
        pytest.param(
            MIXED % b"b" + b"--b\n" + MIXED % b"bb" + b"--bb\n\nin\n--bb--\n--b\n\nuit\n--b--",
            [("", "multipart/mixed"), ("1", "multipart/mixed"), ("1.1", "text/plain"), ("2", "text/plain")],
            id="inner-boundary-begins-like-the-outer",
        ),
        pytest.param(
            MIXED % b"b" + b"--b\n" + MIXED % b"c" + b"--c\n\nopen\n--b\n\nbuiten\n--b--",
            [("", "multipart/mixed"), ("1", "multipart/mixed"), ("1.1", "text/plain"), ("2", "text/plain")],
            id="inner-part-never-closed",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed\n\n--x\n\na\n--x--\n",
            [("", "multipart/mixed"), ("1", "text/plain")],
            id="no-boundary-named",
        ),
        pytest.param(MIXED % b"weg" + b"zomaar tekst", [("1", "text/plain")], id="no-delimiter-at-all"),
        pytest.param(
            b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: in\n\nx\n--d--",
            [("", "multipart/digest"), ("1", "message/rfc822")],
            id="digest-holds-messages",
        ),
        pytest.param(b"Content-Type: nonsense\n\nx", [("1", "text/plain")], id="no-media-type"),
        pytest.param(
            b"Content-Type: message/rfc822\n\nSubject: in\n\nx", [("1", "message/rfc822")], id="not-descended"
        ),
    ],
)
def test_trees(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert types(raw) == expected
    assert types(raw.replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n")) == expected


def test_cr_only_line_ends() -> None:
    part = parse_mail(b"Subject: mac\r\rregel een\rregel twee\r", DEFAULT_LIMITS)
    assert part.headers.text("subject") == "mac"
    assert part.text == "regel een\nregel twee\n"


def test_a_byte_order_mark_is_no_part_of_the_first_header() -> None:
    part = parse_mail(b"\xef\xbb\xbfSubject: kassa\r\n\r\ntekst", DEFAULT_LIMITS)
    assert (part.headers.text("subject"), part.text) == ("kassa", "tekst")


def test_depth_and_number_of_parts_are_bounded() -> None:
    nested = b"".join(MIXED % b"d%d" % number + b"--d%d\n" % number for number in range(100)) + b"\nbodem"
    assert len(types(nested)) == DEFAULT_LIMITS.depth + 1
    many = MIXED % b"b" + b"--b\n\nx\n" * 5_000
    assert len(types(many)) == DEFAULT_LIMITS.parts


@pytest.mark.parametrize(
    ("raw", "head"),
    [
        pytest.param(b"A: 1\nB: 2\n\nC: 3", b"A: 1\nB: 2\n", id="blank-line"),
        pytest.param(b"A: 1\nrommel\nB: 2\n\nC", b"A: 1\nrommel\nB: 2\n", id="junk-between-fields"),
        pytest.param(b"A: 1\nDit is tekst\nen nog een regel", b"A: 1\n", id="no-blank-line-before-the-text"),
        pytest.param(
            b"A: 1\n\n  rest\nSubject: x\n\ny", b"A: 1\n\n  rest\nSubject: x\n", id="blank-line-within-a-fold"
        ),
        pytest.param(b"A: 1\n \nSubject: x\n\ny", b"A: 1\n \nSubject: x\n", id="line-of-spaces-between-fields"),
        pytest.param(b"A: 1\n\n  ingesprongen tekst\nSubject to change\n", b"A: 1\n", id="text-that-is-indented"),
    ],
)
def test_where_the_header_block_ends(raw: bytes, head: bytes) -> None:
    assert head_of(raw) == head


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_nothing_fails_on_any_bytes(junk: bytes) -> None:
    for raw in (junk, b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + junk + b"\n--b--"):
        for part in parse_mail(raw, DEFAULT_LIMITS).walk():
            assert isinstance(part.text, str)


def test_a_file_name_that_lost_its_letters_gives_way_to_the_other() -> None:
    names = b'; name="=?utf-8?Q?=D0=B1=D0=B2.png?="\nContent-Disposition: attachment; filename="??.png"'
    raw = b"Content-Type: image/png" + names + b"\n\nx"
    assert parse_mail(raw, DEFAULT_LIMITS).name == "бв.png"
