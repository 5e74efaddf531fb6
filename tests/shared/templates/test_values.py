"""Every placeholder has a value, and what the ticket lacks is empty."""

from datetime import UTC, datetime

import pytest

from shared.messages import NotificationKind
from shared.templates.facts import Body, LeftOutAttachment
from shared.templates.placeholders import PLACEHOLDERS
from shared.templates.values import BODY_LIMIT, TEXT_LIMIT, name_to_write, values_of
from tests.services.notifier.examples import notification, sender, ticket


def test_every_placeholder_has_a_value_and_nothing_else_has() -> None:
    assert set(values_of(notification().facts)) == {placeholder.name for placeholder in PLACEHOLDERS}


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        pytest.param({}, "ticketnummer", "1000123", id="number"),
        pytest.param({}, "ontvanger", "Piet Jansen", id="recipient"),
        pytest.param({"recipient_name": ""}, "ontvanger", "piet@klant.example", id="recipient without a name"),
        pytest.param({"sender": sender(name="")}, "helpdesk", "ICT", id="helpdesk without a sender name"),
        pytest.param({}, "afzender", "Piet Jansen", id="who wrote"),
        pytest.param({"ticket": ticket(mail_from_name="")}, "afzender", "piet@klant.example", id="who wrote, no name"),
        pytest.param({}, "datum gemeld", "23-11-2026 09:15", id="winter time"),
        pytest.param(
            {"ticket": ticket(deadline_at=datetime(2026, 7, 1, 15, 0, tzinfo=UTC))},
            "deadline",
            "01-07-2026 17:00",
            id="summer time",
        ),
        pytest.param(
            {"ticket": ticket(time_zone="Mars/Olympus")}, "datum gemeld", "23-11-2026 09:15", id="no such zone"
        ),
        pytest.param({}, "deadline", "", id="no deadline"),
        pytest.param({}, "ticketlink", "https://helpdesk.example/tickets/1000123", id="link"),
        pytest.param({"ticket": ticket(url="")}, "ticketlink", "", id="no link"),
        pytest.param({"ticket": ticket(url="javascript:[ticketnummer]")}, "ticketlink", "", id="no web address"),
        pytest.param(
            {"ticket": ticket(number="a/b?", url="https://h/[ticketnummer]")},
            "ticketlink",
            "https://h/a%2Fb%3F",
            id="quoted",
        ),
        pytest.param({"ticket": ticket(images=("a.png", "b\r\n.jpg"))}, "bijlagen", "a.png, b .jpg", id="images"),
        pytest.param(
            {"ticket": ticket(images=tuple("x" * 53))}, "bijlagen", ", ".join("x" * 50) + " en nog 3", id="many"
        ),
        pytest.param(
            {
                "ticket": ticket(
                    left_out=(LeftOutAttachment("a.exe", "geen afbeelding"), LeftOutAttachment("", "te groot"))
                )
            },
            "niet opgeslagen bijlagen",
            "a.exe (geen afbeelding), (zonder naam) (te groot)",
            id="left out",
        ),
        pytest.param(
            {
                "kind": NotificationKind.TICKET_ADDED_CUSTOMER,
                "ticket": ticket(
                    left_out=(
                        LeftOutAttachment("foto.jpg", "de mail is te groot"),
                        LeftOutAttachment("a.exe", "geen afbeelding"),
                    )
                ),
            },
            "niet opgeslagen bijlagen",
            "a.exe (geen afbeelding)",
            id="left out by our own limit, to the customer",
        ),
        pytest.param(
            {
                "kind": NotificationKind.TICKET_ADDED_MANAGER,
                "ticket": ticket(left_out=(LeftOutAttachment("foto.jpg", "de mail is te groot"),)),
            },
            "niet opgeslagen bijlagen",
            "foto.jpg (de mail is te groot)",
            id="left out by our own limit, to the ticket manager",
        ),
    ],
)
def test_values(changes: dict[str, object], name: str, text: str) -> None:
    assert values_of(notification(**changes).facts)[name].text == text


def test_images_of_a_body_are_named_not_shown() -> None:
    body = Body(
        '<p>Zie <img src="attachment:1" alt="foto &quot;1&quot;.jpg"><img src="https://x.nl/volg.gif"></p>', "Zie"
    )
    value = values_of(notification(ticket=ticket(request=body)).facts)["omschrijving"]
    assert value.html == '<p>Zie [afbeelding: foto "1".jpg][afbeelding]</p>'


def test_A6_a_supplement_shows_what_stands_above_the_marker_in_both_readings() -> None:
    body = Body("<p>Alleen dit</p>", "Alleen dit\n\n> citaat", shows_all=False)
    value = values_of(notification(ticket=ticket(supplement=body)).facts)["aanvulling"]
    assert value.text == "Alleen dit"
    assert value.html == "<p>Alleen dit</p>"


@pytest.mark.parametrize(
    ("name", "known_as", "written"),
    [
        pytest.param("Piet", "Piet Jansen", "Piet", id="as the mail says"),
        pytest.param("", "Piet Jansen", "Piet Jansen", id="no name in the mail"),
        pytest.param(" ", "Piet Jansen", "Piet Jansen", id="blank"),
        pytest.param("Piet@Klant.example", "Piet Jansen", "Piet Jansen", id="the address for a name"),
        pytest.param("", "", "", id="nobody knows"),
    ],
)
def test_M4_somebody_is_called_as_his_mail_says_else_as_he_is_known(name: str, known_as: str, written: str) -> None:
    assert name_to_write(name, "piet@klant.example", known_as) == written


def test_a_very_long_body_is_cut_and_says_so() -> None:
    body = Body("<p>x</p>" * BODY_LIMIT, "woord " * TEXT_LIMIT)
    value = values_of(notification(ticket=ticket(request=body)).facts)["omschrijving"]
    for reading in (value.text, value.html or ""):
        assert "Het hele bericht staat in het ticket" in reading
        assert len(reading) < 2 * TEXT_LIMIT


def test_a_hostile_body_is_made_safe_again() -> None:
    body = Body("</div><script>1</script><p onclick=x>a</p>", "a")
    assert values_of(notification(ticket=ticket(request=body)).facts)["omschrijving"].html == "<p>a</p>"
