"""docs/mail-rules.md: its tables are those of the code, and each has a place."""

import pytest

from services.classifier.reading.images.decoding import NotStored
from shared.portal.reasons import EXPLANATIONS, NOT_SENT
from tests.mail_rules import PAGE, main, with_tables


def test_the_tables_are_current() -> None:
    assert main(["--check"]) == 0


def test_every_reason_is_told() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for identity in (*EXPLANATIONS, *NOT_SENT):
        assert f"| `{identity}` |" in page
    for reason in NotStored:
        assert reason.value in page


def test_a_table_without_a_place_is_missed() -> None:
    with pytest.raises(ValueError, match="reasons"):
        with_tables("# Mail rules\n")
