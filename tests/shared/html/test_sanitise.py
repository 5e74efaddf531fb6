"""SPEC D5: nothing runs, nothing is loaded from elsewhere, and the mail still looks like itself."""

import re
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from shared.html.inline_style import safe_style
from shared.html.sanitise import sanitise

HOSTILE = Path(__file__).parents[2] / "mails" / "hostile"
OWN = "0b6e3c66-5f4c-5d0e-9d36-1f8d7b5a0001"
RUNS_OR_LOADS = re.compile(
    r"<(?:script|style|link|meta|base|iframe|object|embed|form|input|button|svg|math|video|audio|source)\b|"
    r"\son\w+=|javascript:|data:|url\(|expression\(|@import|srcset|background=|poster=",
    re.IGNORECASE,
)


def assert_safe(html: str) -> None:
    assert not RUNS_OR_LOADS.search(re.sub(r">[^<]*<", "><", f">{html}<"))
    for element in LexborHTMLParser(html).css("*"):
        for name, value in element.attributes.items():
            assert name in {
                "style",
                "dir",
                "lang",
                "title",
                "align",
                "href",
                "rel",
                "name",
                "color",
                "face",
                "size",
                "src",
                "alt",
                "width",
                "height",
                "bgcolor",
                "border",
                "valign",
                "cellpadding",
                "cellspacing",
                "colspan",
                "rowspan",
            }, name
            if name == "src":
                assert value == f"attachment:{OWN}"
            if name == "href":
                assert re.match(r"https?://|mailto:|tel:", value or "")


def test_D5_a_hostile_mail() -> None:
    html = read_mail((HOSTILE / "html.eml").read_bytes(), uuid.UUID(int=1), ReadingSettings()).whole.html
    assert_safe(html)
    assert "kwaad.example" not in html
    assert "00000000-0000" not in html
    assert '<a href="https://elders.example/" rel="noopener noreferrer">goed</a>' in html
    assert "rood" in html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        pytest.param("<p>a <b>b</b></p>", "<p>a <b>b</b></p>", id="text"),
        pytest.param(f'<img src="attachment:{OWN}">', f'<img src="attachment:{OWN}">', id="own-image"),
        pytest.param('<img src="attachment:andermans">', "<img>", id="somebody-else's-image"),
        pytest.param('<img src="cid:x">', "<img>", id="unresolved-cid"),
        pytest.param(
            f'<a href="attachment:{OWN}">x</a>', '<a rel="noopener noreferrer">x</a>', id="attachment-as-link"
        ),
        pytest.param(
            '<a href="MAILTO:a@b.example">x</a>',
            '<a href="MAILTO:a@b.example" rel="noopener noreferrer">x</a>',
            id="mailto",
        ),
        pytest.param(
            '<table border="1"><tbody><tr><td bgcolor="#eee">x</td></tr></tbody></table>',
            '<table border="1"><tbody><tr><td bgcolor="#eee">x</td></tr></tbody></table>',
            id="table",
        ),
        pytest.param("<ul><li>x</li></ul>", "<ul><li>x</li></ul>", id="list"),
        pytest.param("<title>x</title><style>y</style>z", "z", id="head-goes-with-its-content"),
        pytest.param("<form><button>x</button></form>", "x", id="form-goes-its-text-stays"),
        pytest.param("<p>open", "<p>open</p>", id="closed"),
        pytest.param("</div></div>x", "x", id="ends-without-begin"),
        pytest.param(
            '<a name="body" target="_top">x</a>', '<a rel="noopener noreferrer">x</a>', id="no-name-to-clobber"
        ),
        pytest.param('<p class="a" id="b">x</p>', "<p>x</p>", id="no-hooks-for-style-or-script"),
    ],
)
def test_allow_list(html: str, expected: str) -> None:
    assert sanitise(html, {OWN}) == expected


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        pytest.param("color: red; font-size:11.0pt", "color: red; font-size: 11.0pt", id="plain"),
        pytest.param("COLOR:RGB(1, 2, 3)", "color: RGB(1, 2, 3)", id="colour-function"),
        pytest.param("font-family:'Segoe UI',sans-serif", "font-family: 'Segoe UI',sans-serif", id="quotes"),
        pytest.param("background-color: url(https://x)", None, id="address"),
        pytest.param("background: red", None, id="shorthand-that-takes-addresses"),
        pytest.param("color: \\75rl(x)", None, id="escape"),
        pytest.param("width: expression(alert(1))", None, id="expression"),
        pytest.param("position: fixed; top: 0; z-index: 9", None, id="out-of-its-place"),
        pytest.param("margin-left: -5000px", None, id="negative-margin"),
        pytest.param("letter-spacing: -900px", None, id="letters-out-of-their-place"),
        pytest.param(
            "letter-spacing: -0.5px; word-spacing: -1pt", "letter-spacing: -0.5px; word-spacing: -1pt", id="tight"
        ),
        pytest.param("unicode-bidi: bidi-override; direction: rtl", "direction: rtl", id="text-turned-around"),
        pytest.param("margin: 0cm 0cm .0001pt", "margin: 0cm 0cm .0001pt", id="word's-margin"),
        pytest.param("mso-fareast-language:EN-US;color:red", "color: red", id="vendor's-own"),
        pytest.param("color: red/*; x*/", None, id="comment"),
        pytest.param("--x: red", None, id="custom-property"),
        pytest.param("color" + ":x" * 9_000, None, id="too-long"),
        pytest.param("margin: -.99e5px", None, id="negative-without-a-digit-before-the-point"),
        pytest.param("margin-top: -0.9E+4px", None, id="negative-with-an-exponent"),
        pytest.param("margin: 0 0 0-9px", None, id="negative-without-a-space-before"),
        pytest.param("margin: - 9px", None, id="sign-apart"),
        pytest.param("text-indent: -.9e4px", None, id="text-out-to-the-left"),
        pytest.param("text-indent: +.5E+1px", "text-indent: +.5E+1px", id="small-indent-however-written"),
        pytest.param("margin-left: .9e4px", None, id="margin-beyond-a-screen"),
        pytest.param("padding-left: 1e999px", None, id="infinity"),
        pytest.param("padding: 4e", None, id="unknown-unit"),
        pytest.param("margin-left: calc(0px - 900px)", None, id="calc"),
        pytest.param("margin: env(x) min(1px) var(--y)", None, id="functions"),
        pytest.param("height: 0", "min-height: 0", id="what-does-not-fit-makes-its-box-larger"),
        pytest.param("max-height: 10px", None, id="no-largest-height"),
        pytest.param("line-height: 0", None, id="lines-on-each-other"),
        pytest.param("line-height: 18px", None, id="line-height-that-larger-letters-inherit"),
        pytest.param(
            "font-size: 12px; line-height: 18px", "font-size: 12px; line-height: 1.5", id="line-height-of-letters"
        ),
        pytest.param("line-height: 115%", "line-height: 1.15", id="line-height-in-percent"),
        pytest.param("font: bold 12px/0 Arial", "font: bold 12px Arial", id="line-height-in-a-shorthand"),
        pytest.param("font: 900px Arial", None, id="huge-letters-in-a-shorthand"),
        pytest.param("font-size: 9e3px", None, id="huge-letters"),
        pytest.param("letter-spacing: -.9em", None, id="letters-that-run-backwards"),
        pytest.param("display: contents; display: grid", None, id="layout-of-its-own"),
        pytest.param("display: none !important", "display: none", id="not-above-the-page's-own-style"),
        pytest.param("width: 100%; max-width: 600px", "width: 100%; max-width: 600px", id="sizes"),
        pytest.param("width: 900%", None, id="wider-than-its-box"),
    ],
)
def test_styles(style: str, expected: str | None) -> None:
    assert safe_style(style) == expected


def test_D5_an_image_keeps_the_height_it_is_given() -> None:
    image = f'<img src="attachment:{OWN}" style="height: 40px; max-height: 90px">'
    assert sanitise(image, {OWN}) == image


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        pytest.param("height: 0; width: 20px", "height: 0; width: 20px", id="cells-grow"),
        pytest.param("height: 0; display: block", "height: 0", id="a-cell-stays-a-cell"),
        pytest.param("height: 0; float: left", "height: 0", id="a-cell-does-not-float"),
        pytest.param("display: none", "display: none", id="hidden"),
    ],
)
def test_D5_a_cell_grows_with_what_it_holds(style: str, expected: str) -> None:
    assert safe_style(style, "td") == expected


TAGS = [
    "p",
    "a",
    "img",
    "svg",
    "math",
    "style",
    "script",
    "template",
    "noscript",
    "table",
    "td",
    "select",
    "title",
    "x",
]
ATTRIBUTES = ["href", "src", "style", "onload", "background", "srcset", "xlink:href", "formaction"]
VALUES = [
    "javascript:alert(1)",
    "https://x.example/",
    f"attachment:{OWN}",
    "attachment:x",
    "color:red",
    "a:url(x)",
    "data:x",
]
pieces = st.one_of(
    st.builds("<{} {}={!r}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES)),
    st.builds("</{}>".format, st.sampled_from(TAGS)),
    st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "text", "&lt;", '"', "'", "<", ">", "\x00"]),
)


@settings(max_examples=300)
@given(st.lists(pieces, max_size=15).map("".join))
def test_D5_no_mixture_gets_through(html: str) -> None:
    clean = sanitise(html, {OWN})
    assert_safe(clean)
    assert sanitise(clean, {OWN}) == clean
