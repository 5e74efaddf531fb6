"""Html read as text, and text written as html."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.templates.plain_text import html_of, text_of
from shared.templates.safe_html import safe_for_mail


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        pytest.param("<p>een</p><p>twee<br>drie</p>", "een\n\ntwee\ndrie", id="paragraphs and line breaks"),
        pytest.param("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c d", id="entities"),
        pytest.param('<a href="https://x.nl/t">ticket</a>', "[ticket](https://x.nl/t)", id="a link behind its words"),
        pytest.param('<a href="https://x.nl/t">https://x.nl/t</a>', "https://x.nl/t", id="a link that names itself"),
        pytest.param("", "", id="nothing"),
        pytest.param("<p> </p>", "", id="nothing but white space"),
        pytest.param("<div>" * 3000 + "diep" + "</div>" * 3000, "diep", id="nested too deep to lay out"),
    ],
)
def test_html_reads_as_text(fragment: str, text: str) -> None:
    assert text_of(fragment) == text


def test_text_becomes_paragraphs() -> None:
    assert html_of("een & <twee>\ndrie\n\nvier\n") == "<p>een &amp; &lt;twee&gt;<br>\ndrie</p>\n<p>vier</p>"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_text_written_as_html_holds_the_same_words(text: str) -> None:
    assert text_of(safe_for_mail(html_of(text))).split() == text.split()
