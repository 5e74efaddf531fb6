"""The text of html: what a reader sees, line by line."""

import pytest

from services.classifier.reading.text.html_document import HtmlDocument
from services.classifier.reading.text.lines import joined


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>een<br>twee</p><div>drie</div>", "een\ntwee\n\ndrie", id="blocks-and-breaks"),
        pytest.param("<ol><li>een<li>twee</ol>", "1. een\n2. twee", id="numbered"),
        pytest.param('<ol start="9"><li>een<li>twee</ol>', "9. een\n10. twee", id="numbered-from"),
        pytest.param("<ul><li>a<ul><li>b</ul><li>c</ul>na", "- a\n- b\n- c\n\nna", id="list-within-a-list"),
        pytest.param("<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n- b\n2. c", id="numbers-go-on-after-an-inner-list"),
        pytest.param("<table><tr><td>a<td>b<tr><td>c</table>", "a\tb\nc", id="table"),
        pytest.param('<div style="display:none">voor de lijst</div><p>Hallo', "Hallo", id="preheader"),
        pytest.param('<span style="color:red;FONT-SIZE: 0px;">weg</span>er', "er", id="no-size"),
        pytest.param('<div style="mso-hide:all">weg</div><p hidden>weg</p>er', "er", id="hidden-in-other-ways"),
        pytest.param('<span style="font-size:0.9em">klein</span>', "klein", id="small-is-seen"),
        pytest.param('<body style="display:none">er</body>', "er", id="never-all-of-it"),
        pytest.param("<p class=MsoNormal>a<o:p></o:p></p><p><o:p>&nbsp;</o:p></p><p>b</p>", "a\n\nb", id="word"),
        pytest.param('<a href="https://b.example/lang">hier</a>', "hier", id="a-link-is-its-text"),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    assert joined(HtmlDocument(html).lines()) == text
