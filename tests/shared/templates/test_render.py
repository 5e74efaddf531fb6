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
    source = '<p title="[tickettitel]">[tickettitel]</p><a href="[tickettitel]">x</a>'
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
