"""RFC 2047, 2231, 6532: header texts and parameters, with their abuses."""

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.header import decode_words, parameters, parse_headers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"gewoon", "gewoon", id="plain"),
        pytest.param(b"=?utf-8?Q?caf=C3=A9_au?= lait", "café au lait", id="Q"),
        pytest.param(b"=?UTF-8?b?Y2Fmw6k=?=", "café", id="B"),
        pytest.param(b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café", id="character-split-between-words"),
        pytest.param(b"=?utf-8?B?Y2Fmw6k?=", "café", id="base64-without-padding"),
        pytest.param(b"=?utf-8?Q?met spatie?=", "met spatie", id="spaces-within"),
        pytest.param(b"=?utf-8?Q?Hoe??=", "Hoe?", id="question-mark-within"),
        pytest.param(b"=?utf-8*nl?Q?taal?=", "taal", id="RFC-2231-language"),
        pytest.param(b'"=?utf-8?Q?caf=C3=A9?="', '"café"', id="within-quotes"),
        pytest.param(b"Re:=?utf-8?Q?_x?=y", "Re: xy", id="no-space-around"),
        pytest.param(b"=?onbekend-1?Q?caf=C3=A9?=", "café", id="unknown-charset"),
        pytest.param(b"=?iso-8859-1?Q?=80_5?=", "€ 5", id="latin1-that-is-windows-1252"),
        pytest.param(b"=?utf-8?B?Y2Fmw6k", "café", id="cut-off-at-the-end"),
        pytest.param("één".encode(), "één", id="raw-utf-8"),
        pytest.param("één".encode("cp1252"), "één", id="raw-windows-1252"),
        pytest.param(b"=?gb2312?B?tPLTobv6?=", "打印机", id="gb2312"),
        pytest.param(b"=?x?y?z", "=?x?y?z", id="no-encoded-word"),
        pytest.param(b"=?utf-8?B?UmU6ID0/dXRmLTg/Qj9RMkZtdzZrPT89?=", "Re: Café", id="encoded-twice"),
        pytest.param(b"=?utf-8?Q?=3D=3Futf-8=3FQ=3F=3F=3D?=", "=?utf-8?Q??=", id="only-speaks-of-words"),
        pytest.param(b"=?utf-8?Q?a?=  =?utf-8?Q?b?= c", "ab c", id="space-between-words-goes"),
        pytest.param(b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab", id="nothing-between"),
        pytest.param(b'=?"utf-8"?Q?caf=C3=A9?=', "café", id="charset-in-quotes"),
        pytest.param(b"=?utf-8?B?Y2Fm w6k=?=", "café", id="space-within-base64"),
        pytest.param(b"=?utf-8?B?w6nDqQ==w6k=?=", "ééé", id="base64-joined-after-padding"),
        pytest.param(b"=?us-ascii?Q?caf=C3=A9?=", "café", id="ascii-that-is-utf-8"),
        pytest.param(b"=?iso-8859-1?Q?=C3=A9=C3=A8?=", "éè", id="latin1-that-is-utf-8"),
        pytest.param(b"=?utf-16?B?AGEA6Q==?=", "aé", id="utf-16-without-mark"),
        pytest.param(b"=?iso-2022-jp?B?GyRCLWIbKEIx?=", "№1", id="iso-2022-jp-of-a-vendor"),
        pytest.param(b"=?iso-2022-jp?B?GyRCJVcbKEI=?= =?iso-2022-jp?B?GyRCJWobKEI=?=", "プリ", id="iso-2022-jp-in-two"),
    ],
)
def test_encoded_words(value: bytes, expected: str) -> None:
    assert decode_words(value) == expected


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        pytest.param(b'text/plain; charset="utf-8"', "charset", "utf-8", id="quoted"),
        pytest.param(b"text/plain; charset=utf-8; format=flowed", "format", "flowed", id="bare"),
        pytest.param(b"attachment; filename*=utf-8''caf%C3%A9.pdf", "filename", "café.pdf", id="extended"),
        pytest.param(
            b"a; filename*0*=utf-8''caf%C3; filename*1*=%A9; filename*2=.pdf", "filename", "café.pdf", id="continued"
        ),
        pytest.param(b'a; filename*1="b.pdf"; filename*0="a"', "filename", "ab.pdf", id="continued-in-any-order"),
        pytest.param(b"a; filename=\"plain.pdf\"; filename*=utf-8''caf%C3%A9.pdf", "filename", "café.pdf", id="both"),
        pytest.param(
            b'a; filename="=?utf-8?Q?caf=C3=A9.pdf?="', "filename", "café.pdf", id="encoded-word-in-a-parameter"
        ),
        pytest.param(b'a; filename="a;b.pdf"', "filename", "a;b.pdf", id="semicolon-in-quotes"),
        pytest.param(b'a; filename="a\\"b.pdf"', "filename", 'a"b.pdf', id="escaped-quote"),
        pytest.param(b'a; filename="open', "filename", "open", id="quote-never-closed"),
        pytest.param(b"a; filename=met spatie.pdf", "filename", "met spatie.pdf", id="space-unquoted"),
        pytest.param(b"a; FileName=A.PDF", "filename", "A.PDF", id="name-in-any-case"),
        pytest.param("a; filename=één.pdf".encode(), "filename", "één.pdf", id="raw-utf-8"),
        pytest.param(b"a; filename=utf-8''caf%C3%A9.pdf", "filename", "café.pdf", id="extended-without-asterisk"),
        pytest.param(b"a; filename*=utf-8''\"caf%C3%A9.pdf\"", "filename", "café.pdf", id="extended-in-quotes"),
        pytest.param(b'a; filename="C:\\map\\x.txt"', "filename", "C:\\map\\x.txt", id="a-whole-path"),
        pytest.param(b"a; filename*=caf%C3%A9.pdf", "filename", "café.pdf", id="extended-without-charset"),
    ],
)
def test_parameters(value: bytes, name: str, expected: str) -> None:
    assert parameters(value)[1][name] == expected


def test_fields_are_unfolded_and_bounded() -> None:
    headers = parse_headers(b"Subject: een\r\n\ttwee\r\n drie\r\nrommel\r\nX: " + b"y" * 99_999, DEFAULT_LIMITS)
    assert headers.text("subject") == "een\ttwee drie"
    assert len(headers.first("x") or b"") == DEFAULT_LIMITS.header_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"=?iso-8859-1?Q?Reparatie_caf\xe9?=", "Reparatie café", id="latin1"),
        pytest.param(b"=?utf-8?Q?caf\xc3\xa9_dicht?=", "café dicht", id="utf-8"),
        pytest.param(b"Re: =?windows-1251?Q?\xcf\xf0\xe8\xe2\xe5\xf2?=", "Re: Привет", id="windows-1251"),
        pytest.param(b"=?koi8-r?Q?\xf0\xd2\xcf\xc2\xcc\xc5\xcd\xc1?=", "Проблема", id="koi8-r"),
        pytest.param(b"caf\xe9 =?iso-8859-1?Q?caf\xe9?= caf\xe9", "café café café", id="beside-raw-text"),
    ],
)
def test_a_raw_byte_within_an_encoded_word_is_of_the_charset_of_the_word(value: bytes, expected: str) -> None:
    assert decode_words(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"=?utf-8?Q?=E2=82=AC_10_=E2=82?=", "€ 10 ", id="utf-8"),
        pytest.param(b"=?utf-8?Q?Geen_caf=C3?=", "Geen caf", id="first-of-two-bytes"),
        pytest.param(b"=?utf-8?Q?caf=C3=A9_op=C", "café op", id="within-an-escape"),
        pytest.param(b"=?gb2312?B?xOO6w8Q=?=", "你好", id="gb2312"),
        pytest.param(b"=?shift_jis?B?k/qWe4w=?=", "日本", id="shift-jis"),
        pytest.param(b"=?utf-8?Q?Oven?= =?utf-8?Q", "Oven", id="within-the-next-word"),
        pytest.param(b"=?utf-8?Q?Geen_caf=E9?=", "Geen café", id="latin1-that-claims-utf-8"),
    ],
)
def test_a_word_that_was_cut_off_ends_without_garbage(value: bytes, expected: str) -> None:
    assert decode_words(value) == expected


def test_comments_of_a_token_nest_and_may_never_end() -> None:
    headers = parse_headers(b"A: x (een (twee) drie) y\nB: base64 ((((", DEFAULT_LIMITS)
    assert (headers.token("a").split(), headers.token("b")) == (["x", "y"], "base64")
