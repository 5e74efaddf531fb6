"""What a summary says (SPEC M2, M3): every ticket and supplement, safely, and how many."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

from services.notifier.rules.compose import compose
from shared.messages import NotificationKind
from shared.templates.facts import OwnTemplate, SummaryEntry
from shared.templates.placeholders import OF_SUMMARIES
from shared.templates.summary import ENTRIES_LIMIT, values_of_summary
from tests.services.notifier.examples import KEY, NOW, notification, ticket

M2, M3 = NotificationKind.TICKET_ADDED_MANAGER, NotificationKind.SUPPLEMENT_ADDED_EXECUTOR
ENTRY = SummaryEntry(
    M2, "1000001", "Printer", "Bakkerij", "E-mail Geïmporteerd", "Piet Jansen", "piet@klant.example", NOW
)


def test_M2_there_is_a_value_for_every_placeholder_of_a_summary() -> None:
    values = values_of_summary(notification(entries=(ENTRY, ENTRY)).facts)
    assert set(values) == {placeholder.name for placeholder in OF_SUMMARIES}


def test_M2_M3_tickets_come_first_each_in_the_order_of_their_mails() -> None:
    late = NOW + timedelta(minutes=9)
    entries = (replace(ENTRY, kind=M3, number="1000009"), ENTRY, replace(ENTRY, number="1000002", reported_at=late))
    values = values_of_summary(notification(entries=entries).facts)
    counts = [values[name].text for name in ("aantal", "aantal tickets", "aantal aanvullingen", "eerste", "laatste")]
    assert counts == ["3", "2", "1", "23-11-2026 09:15", "23-11-2026 09:24"]
    assert values["overzicht"].text == (
        "Nieuwe tickets:\n\n"
        "- 1000001 Printer (Piet Jansen <piet@klant.example>, Bakkerij, 23-11-2026 09:15, E-mail Geïmporteerd)\n"
        "  https://helpdesk.example/tickets/1000001\n"
        "- 1000002 Printer (Piet Jansen <piet@klant.example>, Bakkerij, 23-11-2026 09:24, E-mail Geïmporteerd)\n"
        "  https://helpdesk.example/tickets/1000002\n\n"
        "Nieuwe aanvullingen:\n\n"
        "- 1000009 Printer (Piet Jansen <piet@klant.example>, Bakkerij, 23-11-2026 09:15, E-mail Geïmporteerd)\n"
        "  https://helpdesk.example/tickets/1000009"
    )
    assert '<li><a href="https://helpdesk.example/tickets/1000009">1000009</a> Printer (' in str(
        values["overzicht"].html
    )


def test_M2_without_a_page_of_tickets_there_is_no_link() -> None:
    overview = values_of_summary(notification(entries=(ENTRY, ENTRY), ticket=ticket(url="")).facts)["overzicht"]
    assert "href" not in str(overview.html)
    assert overview.text.count("\n") == 3


def test_D5_what_a_sender_writes_is_no_html_and_no_line_of_its_own() -> None:
    hostile = replace(ENTRY, title="<script>x</script>\r\nBcc: y", mail_from_name='"><img src=x>')
    overview = values_of_summary(notification(entries=(hostile, ENTRY)).facts)["overzicht"]
    assert "<script" not in str(overview.html)
    assert "<img" not in str(overview.html)
    assert "- 1000001 <script>x</script> Bcc: y (" in overview.text


def test_M2_of_very_many_the_first_are_listed_and_the_others_counted() -> None:
    values = values_of_summary(notification(entries=(ENTRY,) * (ENTRIES_LIMIT + 7)).facts)
    assert values["overzicht"].text.count("- 1000001") == ENTRIES_LIMIT
    assert values["overzicht"].text.endswith("En nog 7; de helpdesk heeft ze alle.")
    assert values["aantal"].text == str(ENTRIES_LIMIT + 7)


def test_M2_a_summary_answers_no_mail_and_asks_for_no_answer() -> None:
    given = notification(kind=M2, entries=(ENTRY, ENTRY))
    read = message_from_bytes(compose(given, key=KEY, now=NOW).written.mime, policy=policy.default)
    assert str(read["Subject"]) == "ChainWise: 2 tickets en aanvullingen via de importer"
    assert (read["References"], read["In-Reply-To"]) == (None, None)
    body = read.get_body(("plain",))
    assert body is not None
    assert "=====" not in body.get_content()
    assert "Nieuwe aanvullingen" not in body.get_content()


def test_M2_a_template_that_cannot_be_used_gives_way_to_the_default() -> None:
    own = OwnTemplate(subject="[ticketnummer]", body_text="[overzicht")
    composed = compose(notification(kind=M2, entries=(ENTRY, ENTRY), template=own), key=KEY, now=NOW)
    assert composed.written.subject == "ChainWise: 2 tickets en aanvullingen via de importer"
    assert len(composed.template_problems) == 2
