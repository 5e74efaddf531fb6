"""The sentences of a ticket's history (N1, A1, D2, D3, D4, D13)."""

import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.messages import LeftOut
from shared.portal import history
from shared.portal.history import Entry, EntryKind

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SUMMER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
WINTER = datetime(2026, 12, 24, 15, 30, tzinfo=UTC)


def left_out(name: str = "factuur.pdf", media_type: str = "application/pdf", size: int = 76 * 1024) -> LeftOut:
    return LeftOut(id=uuid.uuid4(), name=name, media_type=media_type, size=size, reason="geen plaatje")


@pytest.mark.parametrize(
    ("entry", "kind", "sentence"),
    [
        pytest.param(
            history.created_by_import("Jan Smit <jan@klant.example>"),
            EntryKind.CREATED,
            "Ticket aangemaakt via mail import, uit een e-mail van Jan Smit <jan@klant.example>.",
            id="N1",
        ),
        pytest.param(
            history.supplemented_by_import("jan@klant.example"),
            EntryKind.SUPPLEMENTED,
            "Ticket aangevuld via mail import, met een e-mail van jan@klant.example.",
            id="A1",
        ),
        pytest.param(
            history.status_changed("Gesloten", "Open"),
            EntryKind.STATUS_CHANGED,
            "Status gewijzigd van «Gesloten» in «Open».",
            id="A8",
        ),
        pytest.param(
            history.reopened(WINTER, AMSTERDAM),
            EntryKind.REOPENED,
            "Ticket heropend door een aanvulling; datum voltooid (24-12-2026 16:30) leeggemaakt.",
            id="D2 keeps the date on the wall clock in winter",
        ),
        pytest.param(
            history.reopened(None, AMSTERDAM),
            EntryKind.REOPENED,
            "Ticket heropend door een aanvulling.",
            id="D2 no date",
        ),
        pytest.param(
            history.deadline_changed(None, SUMMER, AMSTERDAM),
            EntryKind.DEADLINE_CHANGED,
            "Datum deadline herberekend: was leeg, wordt 01-07-2026 14:00.",
            id="D3 in summer",
        ),
        pytest.param(
            history.followed_merge("1000001"),
            EntryKind.NOTE,
            "De e-mail noemde ticket 1000001, dat met dit ticket is samengevoegd.",
            id="merged",
        ),
        pytest.param(
            history.named_ticket_gone(["1000001", "1000002"]),
            EntryKind.NOTE,
            "Het onderwerp noemt ticket 1000001, 1000002, maar dat bestaat niet meer; daarom is dit een nieuw ticket.",
            id="gone",
        ),
        pytest.param(
            history.also_in_other_helpdesk("1000009", "Facilitair"),
            EntryKind.NOTE,
            "Dezelfde e-mail is ook naar helpdesk «Facilitair» gestuurd en is daar ticket 1000009.",
            id="D13",
        ),
    ],
)
def test_the_sentences_of_the_history(entry: Entry, kind: EntryKind, sentence: str) -> None:
    assert entry.kind is kind
    assert entry.description == sentence


def test_D2_the_cleared_date_is_kept_for_programs_too() -> None:
    assert history.reopened(WINTER, AMSTERDAM).details == {"completed_at": "2026-12-24T15:30:00+00:00"}


def test_D4_attachments_left_out_are_named_with_type_size_and_reason() -> None:
    entry = history.attachments_left_out([left_out(), left_out(name="", media_type="text/plain", size=12)])
    assert entry is not None
    assert entry.description == (
        "2 bijlagen zijn niet opgeslagen: factuur.pdf (application/pdf, 76 kB): geen plaatje; "
        "zonder naam (text/plain, 12 bytes): geen plaatje."
    )


def test_D4_one_attachment_left_out_is_singular() -> None:
    entry = history.attachments_left_out([left_out()])
    assert entry is not None
    assert entry.description.startswith("1 bijlage is niet opgeslagen")


def test_D4_nothing_left_out_is_no_entry() -> None:
    assert history.attachments_left_out([]) is None


def test_a_hostile_name_cannot_turn_or_flood_the_history() -> None:
    entry = history.attachments_left_out([left_out(name="fac\u202efdp.exe\n" + "x" * 500)])
    assert entry is not None
    assert "\u202e" not in entry.description
    assert "\n" not in entry.description
    assert len(entry.description) < 250


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 kB"), (76 * 1024, "76 kB"), (1_500_000, "1,4 MB")],
)
def test_sizes_are_written_as_dutch_people_do(size: int, expected: str) -> None:
    assert history.size(size) == expected
