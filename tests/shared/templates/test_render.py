"""Templates: `[naam]` is replaced once, escaped for where it stands, and what is unknown is refused (DESIGN 11)."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from shared.templates.placeholders import PLACEHOLDERS, Placeholder
from shared.templates.render import (
    SUBJECT_LIMIT,
    BadTemplate,
    Value,
    html_body,
    parse_body,
    parse_subject,
    subject_line,
    text_body,
)


def _values(**given_values: str | Value) -> dict[str, Value]:
    values = {placeholder.name: Value("") for placeholder in PLACEHOLDERS}
    values |= {name: Value(value) if isinstance(value, str) else value for name, value in given_values.items()}
    return values


_NUMBER = {"ticketnummer": "1000123"}

any_text = st.text(alphabet=st.characters(codec=None))
"""Every character, lone surrogates and control characters too."""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("Ticket [ticketnummer]", "Ticket 1000123", id="a name is replaced"),
        pytest.param("[TicketNummer]", "1000123", id="in any case"),
        pytest.param("[ ticketnummer ]", "1000123", id="with spaces"),
        pytest.param("[datum\u00a0gemeld]", "gisteren", id="with the non-breaking space of an editor"),
        pytest.param("[datum&nbsp;gemeld]", "gisteren", id="with the entity of an html editor"),
        pytest.param("[[ticketnummer]", "[ticketnummer]", id="two brackets are one literal bracket"),
        pytest.param("[[[ticketnummer]]", "[1000123]", id="a literal bracket before a name"),
        pytest.param("a ] b", "a ] b", id="a closing bracket alone is itself"),
        pytest.param("[prioriteit]", "geen", id="an empty value reads as the table says"),
        pytest.param("", "", id="an empty template"),
        pytest.param("a\nBijlagen: [bijlagen?]\nb", "a\nb", id="a marked line without a value goes"),
        pytest.param("a\n\nBijlagen: [bijlagen?]\n\nb", "a\n\nb", id="and so does the empty line after it"),
        pytest.param("[bijlagen?]\n\na", "a", id="at the top"),
        pytest.param("a\r\n[bijlagen ?]\r\nb", "a\nb", id="whatever its line ends and spaces"),
        pytest.param("Nr. [ticketnummer?]", "Nr. 1000123", id="a marked line with a value stays"),
        pytest.param("[ticketnummer?] [bijlagen?]\nb", "b", id="one missing value takes its line"),
    ],
)
def test_a_placeholder_is_replaced_and_all_else_stays(source: str, expected: str) -> None:
    assert text_body(parse_body(source), _values(**_NUMBER, **{"datum gemeld": "gisteren"})) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param("[ticketnumer]", "Did you mean [ticketnummer]?", id="the likely name is named"),
        pytest.param("[voornaam van de kat]", "[voornaam van de kat] is unknown", id="unknown"),
        pytest.param("[]", "[] is unknown", id="empty"),
        pytest.param("[?]", "[?] is unknown", id="empty with a question mark"),
        pytest.param("[if mso]", "[if mso] is unknown", id="a conditional comment"),
        pytest.param("Beste [ontvanger", "not closed", id="not closed"),
        pytest.param("[a [b]", "not closed", id="opened twice"),
        pytest.param("[" + "x" * 500 + "]", "x…] is unknown", id="a long name is shortened"),
    ],
)
def test_an_unusable_template_is_refused_with_what_to_change(source: str, said: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        parse_body(source)
    assert said in str(refused.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadTemplate) as refused:
        parse_subject("[een] [twee] [een] [omschrijving]\n")
    assert len(refused.value.problems) == 5  # two unknown, one too long, the line break, no number


def test_a_subject_has_no_line_that_could_go() -> None:
    with pytest.raises(BadTemplate, match=r"Write \[prioriteit\]"):
        parse_subject("[ticketnummer] [prioriteit?]")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("<p>a</p><p>Openen: [bijlagen?]</p>", "<p>a</p>", id="a paragraph"),
        pytest.param("<p>a<br>Openen: [bijlagen?]<br>b</p>", "<p>a<br>b</p>", id="a line of a paragraph"),
        pytest.param("<p><b>a<br>B: [bijlagen?]<br>c</b></p>", "<p><b>a<br>c</b></p>", id="within an inline element"),
        pytest.param('<p>a</p><p><a href="[ticketlink?]">Open</a></p>', "<p>a</p>", id="in an attribute"),
        pytest.param("<ul><li>a</li><li>[bijlagen?]</li></ul>", "<ul><li>a</li></ul>", id="a list item"),
        pytest.param("<ul><li>[bijlagen?]</li></ul>a", "a", id="a list that is left without items"),
        pytest.param(
            "<table><tr><td>a</td></tr><tr><td>B</td><td><b>[bijlagen?]</b></td></tr></table>",
            "<table><tbody><tr><td>a</td></tr></tbody></table>",
            id="the row of a cell",
        ),
        pytest.param(
            "<table><tr><td><p>a</p><p>[bijlagen?]</p></td></tr></table>",
            "<table><tbody><tr><td><p>a</p></td></tr></tbody></table>",
            id="not the row of a cell that says more",
        ),
        pytest.param("a [bijlagen?] <div>b</div>", "<div>b</div>", id="beside a block"),
        pytest.param(
            "<p>Uw prioriteit: [prioriteit]. Bel ons.</p>", "<p>Uw prioriteit: geen. Bel ons.</p>", id="unmarked"
        ),
        pytest.param("<p>\x01 a</p>", "<p> a</p>", id="the character that stands for nothing is none of yours"),
        pytest.param('<a href="[ticketlink]" style="color: red">hier</a>', "hier", id="a link to nothing is its words"),
    ],
)
def test_in_html_a_marked_line_goes_with_all_that_it_leaves_empty(source: str, expected: str) -> None:
    assert html_body(parse_body(source), _values(**_NUMBER)) == expected


def test_in_html_each_mail_has_its_own_values_and_lines_however_many_went_before() -> None:
    template = parse_body("<p>[ticketnummer]</p><p>Bijlagen: [bijlagen?]</p><p>Status: [status?]</p>")
    mails = [
        html_body(template, _values(ticketnummer=number, bijlagen=files, status=status))
        for number, files, status in [("1", "", "Nieuw"), ("2", "", "<b>"), ("3", "a.jpg", ""), ("4\x033\x03", "", "")]
    ]
    assert mails == [
        "<p>1</p><p>Status: Nieuw</p>",
        "<p>2</p><p>Status: &lt;b&gt;</p>",
        "<p>3</p><p>Bijlagen: a.jpg</p>",
        "<p>43</p>",
    ]


def test_in_html_a_line_that_goes_takes_no_more_of_a_body_than_its_own_line() -> None:
    template = parse_body("<p>[bijlagen?] [omschrijving]</p>")
    body = Value("een\ntwee")
    assert html_body(template, _values(omschrijving=body)) == "<p>\ntwee</p>"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('<p style="white-space: pre-wrap">a\nb</p>', "<p>a<br>\nb</p>", id="pre-wrap"),
        pytest.param(
            '<p style="color: red; WHITE-SPACE:pre-line">a\nb</p>',
            '<p style="color:red">a<br>\nb</p>',
            id="beside others",
        ),
        pytest.param(
            '<div style="white-space: pre-wrap"><p><b>a\nb</b></p></div>',
            "<div><p><b>a<br>\nb</b></p></div>",
            id="inherited",
        ),
        pytest.param(
            '<div style="white-space: pre-wrap"><p style="white-space: normal">a\nb</p></div>',
            '<div><p style="white-space:normal">a\nb</p></div>',
            id="and taken back",
        ),
        pytest.param('<pre style="white-space: pre-wrap">a\nb</pre>', "<pre>a\nb</pre>", id="pre keeps its own"),
        pytest.param('<p style="white-space: nowrap">a\nb</p>', '<p style="white-space:nowrap">a\nb</p>', id="nowrap"),
        pytest.param(
            '<p style="white-space: pre">a   b</p>',
            "<p>a&nbsp;&nbsp; b</p>",
            id="spaces stay as wide",
        ),
    ],
)
def test_line_breaks_that_a_style_would_keep_are_kept_without_it(source: str, expected: str) -> None:
    assert html_body(parse_body(source), _values()) == expected


def test_W3_a_subject_without_the_number_is_refused() -> None:
    with pytest.raises(BadTemplate, match=r"\[ticketnummer\]"):
        parse_subject("Wij hebben uw bericht ontvangen")


@pytest.mark.parametrize("placeholder", PLACEHOLDERS, ids=lambda row: row.name)
def test_a_value_is_never_scanned_again(placeholder: Placeholder) -> None:
    value = f"[{placeholder.name}] [[x] [ticketnummer] [onbekend]"
    assert text_body(parse_body("[tickettitel]"), _values(tickettitel=value)) == value


@pytest.mark.parametrize(
    ("title", "line"),
    [
        pytest.param("a\r\nBcc: x@y.nl", "a Bcc: x@y.nl", id="a header cannot be added"),
        pytest.param("a\x00b\x1bc\x7fd", "a b c d", id="control characters"),
        pytest.param("a\u2028b\u2029c\u0085d", "a b c d", id="other line ends"),
        pytest.param("gpj.\u202eexe", "gpj.exe", id="a direction override"),
        pytest.param("\ud800", "?", id="a lone surrogate"),
        pytest.param("x" * 1000, "x" * 149 + "…", id="cut"),
        pytest.param("  ruime\t\ttitel ", "ruime titel", id="white space"),
    ],
)
def test_a_subject_is_one_clean_line(title: str, line: str) -> None:
    rendered = subject_line(parse_subject("[ticketnummer]: [tickettitel]"), _values(tickettitel=title, **_NUMBER))
    assert rendered == f"1000123: {line}"


@given(title=any_text)
def test_a_subject_is_one_printable_line_for_every_title(title: str) -> None:
    rendered = subject_line(parse_subject("[ticketnummer] [tickettitel]"), _values(tickettitel=title, **_NUMBER))
    assert rendered.startswith("1000123")
    assert len(rendered) <= SUBJECT_LIMIT
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in rendered)
    rendered.encode("utf-8")


@given(title=any_text)
def test_in_html_a_value_adds_no_element_and_no_attribute(title: str) -> None:
    source = '<p title="[tickettitel]">[tickettitel]</p><a href="https://x.nl/[tickettitel]">x</a>'
    rendered = LexborHTMLParser(html_body(parse_body(source), _values(tickettitel=title)))
    assert [node.tag for node in rendered.css("body *") if node.tag != "br"] == ["p", "a"]
    for node in rendered.css("p, a"):
        assert set(node.attributes) <= {"title", "href"}


@given(title=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_in_html_a_value_reads_as_it_is(title: str) -> None:
    rendered = html_body(parse_body("<pre>[tickettitel]</pre>"), _values(tickettitel=title))
    shown = html.unescape(rendered.removeprefix("<pre>").removesuffix("</pre>"))
    assert shown == (title or "–")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("<script>alert(1)</script>", id="script"),
        pytest.param("<img src=x onerror=alert(1)>", id="image"),
        pytest.param("<a href='javascript:alert(1)'>x</a>", id="javascript link"),
        pytest.param("<p onclick=alert(1)>x</p>", id="event"),
        pytest.param("<p style='background:url(//x.nl/a)'>x</p>", id="style address"),
        pytest.param("<p style='background-color: URL(//x.nl/a)'>x</p>", id="style address in a colour"),
        pytest.param("<iframe src='https://x.nl'></iframe>", id="frame"),
        pytest.param("<style>@import 'https://x.nl'</style>", id="style sheet"),
        pytest.param("<form action='https://x.nl'><input></form>", id="form"),
        pytest.param("</div></body></html><base href='https://x.nl'>", id="base"),
        pytest.param("<!--[[if mso]><script>1</script><![[endif]-->", id="conditional comment"),
        pytest.param("<svg><script>1</script></svg>", id="svg"),
    ],
)
@pytest.mark.parametrize("through", ["the template", "a value"])
def test_nothing_that_runs_or_is_loaded_leaves_in_a_mail(hostile: str, through: str) -> None:
    if through == "the template":
        rendered = html_body(parse_body(f"<p>voor</p>{hostile}<p>na</p>"), _values())
    else:
        rendered = html_body(
            parse_body("<p>voor</p>[omschrijving]<p>na</p>"), _values(omschrijving=Value("x", hostile))
        )
    tree = LexborHTMLParser(rendered)
    assert not tree.css("script, img, iframe, style, form, input, base, svg, link, object")
    for node in tree.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")]
        assert "url(" not in (node.attributes.get("style") or "").lower()
        assert "javascript" not in (node.attributes.get("href") or "")
    assert "voor" in rendered
    assert "na" in rendered


def test_a_body_cannot_leave_its_frame() -> None:
    body = Value("x", "</div></div><p>buiten</p><div>")
    rendered = html_body(parse_body("<blockquote>[omschrijving]</blockquote><p>na</p>"), _values(omschrijving=body))
    assert LexborHTMLParser(rendered).css("blockquote p")[0].text() == "buiten"


def test_line_breaks_of_a_value_are_line_breaks_in_both_bodies() -> None:
    values = _values(omschrijving="een\r\ntwee\x07")
    assert text_body(parse_body("[omschrijving]"), values) == "een\ntwee"
    assert html_body(parse_body("[omschrijving]"), values) == "een<br>\ntwee"
