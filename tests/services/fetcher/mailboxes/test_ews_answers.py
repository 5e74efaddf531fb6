"""Reading what EWS servers answer: liberal in form, strict in being whole."""

import base64
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.fetcher.mailboxes.ews import answer_reader
from services.fetcher.mailboxes.ews.answer_reader import AnswerBroken, AnswerReader, MimeDecoder, NotEws
from services.fetcher.mailboxes.ews.answers import Build, EwsError, listed_items, page, response_message, server_build

RAW = "Subject: Één\r\n\r\nregel\r\n".encode() * 40

PLAIN = """<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>
<FindItemResponse xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"><ResponseMessages>
<FindItemResponseMessage><ResponseCode>NoError</ResponseCode><RootFolder TotalItemsInView="1">
<x:Items xmlns:x="http://schemas.microsoft.com/exchange/services/2006/types"><x:Message><x:ItemId Id="AAA="/>
<x:DateTimeReceived>2026-11-23T10:00:00+01:00</x:DateTimeReceived></x:Message><x:Message/>
<x:Nieuw><x:ItemId Id="aaa=" ChangeKey="CK"/><x:Size>12</x:Size><x:IsRead>true</x:IsRead></x:Nieuw>
</x:Items></RootFolder></FindItemResponseMessage></ResponseMessages></FindItemResponse></Body></Envelope>"""

BUSY = """<s:Fault><faultcode>a:ErrorServerBusy</faultcode><detail>
<e:ResponseCode xmlns:e="e">ErrorServerBusy</e:ResponseCode><t:MessageXml xmlns:t="t">
<t:Value Name="BackOffMilliseconds">1500</t:Value></t:MessageXml></detail></s:Fault>"""
VERSION_2019 = """<h:ServerVersionInfo xmlns:h="h" MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544"
MinorBuildNumber="4" Version="V2017_07_11"/>"""


def read(*pieces: bytes, mime: MimeDecoder | None = None) -> Element:
    reader = AnswerReader([] if mime is None else [mime])
    for piece in pieces:
        reader.feed(piece)
    return reader.close()


def envelope(body: str, header: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>{header}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def message(content: str, *, code: str = "NoError", response_class: str = "Success") -> bytes:
    return envelope(
        f'<m:R xmlns:m="m" xmlns:t="t"><m:GetItemResponseMessage ResponseClass="{response_class}">'
        f"<m:ResponseCode>{code}</m:ResponseCode>{content}</m:GetItemResponseMessage></m:R>"
    )


def test_prefixes_and_what_is_missing_do_not_matter() -> None:
    found = response_message(read(PLAIN.encode()))
    first, second = listed_items(found)
    assert (first.key, first.change_key, first.size, first.is_read) == ("AAA=", "", None, False)
    assert first.received_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert (second.key, second.change_key, second.element, second.size, second.is_read) == (
        "aaa=", "CK", "Nieuw", 12, True,
    )  # fmt: skip
    where = page(found)
    assert (where.total, where.next_offset, where.is_last) == (1, None, None)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T09:00:00.123Z", datetime(2026, 11, 23, 9, 0, 0, 123000, tzinfo=UTC)),
        ("2026-11-23T09:00:00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T04:00:00-05:00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("gisteren", None),
        ("", None),
    ],
)
def test_moments_have_any_offset(told: str, moment: datetime | None) -> None:
    xml = f'<t:Items><t:M><t:ItemId Id="A"/><t:DateTimeReceived>{told}</t:DateTimeReceived></t:M></t:Items>'
    (item,) = listed_items(response_message(read(message(xml))))
    assert item.received_at == moment


@given(raw=some.binary(max_size=400), size=some.integers(1, 90), break_at=some.integers(1, 77))
def test_a_mail_is_decoded_in_whatever_pieces_it_comes(raw: bytes, size: int, break_at: int) -> None:
    text = base64.b64encode(raw).decode()
    text = "\r\n".join(text[start : start + break_at] for start in range(0, len(text), break_at))
    data = message(f"<m:Items><t:M><t:MimeContent>{text}</t:MimeContent></t:M></m:Items>")
    written: list[bytes] = []
    decoder = MimeDecoder(written.append)
    root = read(*(data[start : start + size] for start in range(0, len(data), size)), mime=decoder)
    assert response_message(root).find(".//MimeContent") is not None
    assert b"".join(written) == raw
    assert decoder.size == len(raw)


def test_an_answer_counts_at_its_last_byte_alone() -> None:
    mime = base64.b64encode(RAW).decode()
    data = message(f'<m:Items><t:M><t:MimeContent>{mime}</t:MimeContent><t:ItemId Id="A"/></t:M></m:Items>')
    for end in range(len(data)):
        with pytest.raises(AnswerBroken):
            read(data[:end], mime=MimeDecoder(lambda _: None))
    assert response_message(read(data, mime=MimeDecoder(lambda _: None))) is not None


@pytest.mark.parametrize("text", ["QQ=", "QQ==QQ==", "Q", "Q*==", "QQ==QQ", "é==="])
def test_damaged_base64_is_no_mail(text: str) -> None:
    with pytest.raises(AnswerBroken, match="base64"):
        read(message(f"<m:MimeContent>{text}</m:MimeContent>"), mime=MimeDecoder(lambda _: None))


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><html><body>Aanmelden</body></html>",
        "<html><body>Aanmelden<br></body></html>",
        "Service unavailable",
        '{"error": "nee"}',
        '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">]><s:Envelope xmlns:s="s">&a;</s:Envelope>',
    ],
)
def test_what_is_no_soap_is_told_apart(text: str) -> None:
    with pytest.raises(NotEws):
        read(text.encode())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_answer_may_begin_with_a_byte_order_mark_or_an_empty_line(encoding: str) -> None:
    assert response_message(read(PLAIN.encode(encoding))) is not None
    assert response_message(read(f"\r\n{PLAIN}".encode())) is not None


def test_an_answer_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_reader, "LONGEST", 10_000)
    with pytest.raises(AnswerBroken, match="longer"):
        read(envelope("<a/>" * 2000))


@pytest.mark.parametrize(
    ("body", "code", "seconds"),
    [
        (BUSY, "ErrorServerBusy", 1.5),
        ("<s:Fault><faultcode>a:ErrorInvalidServerVersion</faultcode></s:Fault>", "ErrorInvalidServerVersion", None),
        ("<s:Fault><faultcode>s:Client</faultcode></s:Fault>", "Client", None),
        ("<s:Fault/>", "Fault", None),
    ],
)
def test_a_fault_is_told_by_its_code(body: str, code: str, seconds: float | None) -> None:
    with pytest.raises(EwsError) as refused:
        response_message(read(envelope(body)))
    assert refused.value.code == code
    assert refused.value.back_off == (None if seconds is None else timedelta(seconds=seconds))


def test_an_inner_code_says_more_than_internal_server_error() -> None:
    inner = "<m:MessageXml><t:Value Name='InnerErrorResponseCode'>ErrorMailboxFailover</t:Value></m:MessageXml>"
    with pytest.raises(EwsError, match="ErrorMailboxFailover"):
        response_message(read(message(inner, code="ErrorInternalServerError", response_class="Error")))


def test_a_warning_is_no_refusal_and_an_answer_without_message_is_broken() -> None:
    assert response_message(read(message("", code="ErrorBatchProcessingStopped", response_class="Warning"))) is not None
    for body in ("", "<m:GetItemResponse xmlns:m='m'/>"):
        with pytest.raises(AnswerBroken):
            response_message(read(envelope(body)))


@pytest.mark.parametrize(
    ("header", "build"),
    [
        (VERSION_2019, Build(15, 2, 1544, 4)),
        ("<h:ServerVersionInfo xmlns:h='h' MajorVersion='8' MinorVersion='1'/>", Build(8, 1)),
        ("<h:ServerVersionInfo xmlns:h='h' MajorVersion='nieuw'/>", None),
        ("", None),
    ],
)
def test_the_servers_version_is_read_where_it_is_told(header: str, build: Build | None) -> None:
    assert server_build(read(envelope("", header))) == build
