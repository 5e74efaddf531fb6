"""`senders`: what may be typed, and what the classifier then finds (SPEC D17)."""

from __future__ import annotations

import pytest

from services.console.repairs.senders import NotASender, Pattern, pattern_of
from tests.services.console.repairs.conftest import CommandLine


@pytest.mark.parametrize(
    ("typed", "is_list", "pattern"),
    [
        pytest.param("Jan@Spam.Example", False, Pattern("address", "jan@spam.example"), id="address"),
        pytest.param("Spam.Example", False, Pattern("domain", "spam.example"), id="domain"),
        pytest.param("@spam.example", False, Pattern("domain", "spam.example"), id="domain with an @"),
        pytest.param("<News.Spam.Example>", False, Pattern("list", "news.spam.example"), id="List-Id in brackets"),
        pytest.param("News.Spam.Example", True, Pattern("list", "news.spam.example"), id="List-Id"),
    ],
)
def test_a_sender_is_an_address_a_domain_or_a_list(typed: str, is_list: bool, pattern: Pattern) -> None:  # noqa: FBT001
    assert pattern_of(typed, is_list=is_list) == pattern


@pytest.mark.parametrize(
    "typed", ["", "spam", "jan@", "@", "a b@c.example", "*.example", "<>", "jan @spam.example", "a..b"]
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(NotASender):
        pattern_of(typed, is_list=False)


def test_a_rule_is_added_replaced_listed_and_removed(filled: CommandLine) -> None:
    filled("senders", "block", "nieuws@krant.example", "--helpdesk", "Verkoop")
    filled("senders", "block", "<aanbod.krant.example>")
    filled("senders", "allow", "reclame.example")  # was blocked
    rules = [
        (rule["kind"], rule["pattern"], rule["verdict"], rule["helpdesk"]) for rule in filled.json("senders", "list")
    ]
    assert rules == [
        ("address", "baas@reclame.example", "allow", "Support"),
        ("address", "nieuws@krant.example", "block", "Verkoop"),
        ("domain", "reclame.example", "allow", None),
        ("list", "aanbod.krant.example", "block", None),
    ]
    assert len(filled.json("senders", "list", "--helpdesk", "Support")) == 3
    filled("senders", "allow", "reclame.example", "--automatic")
    assert [rule["verdict"] for rule in filled.json("senders", "list") if rule["pattern"] == "reclame.example"] == [
        "allow-automatic"
    ]
    filled("senders", "remove", "reclame.example")
    assert len(filled.json("senders", "list")) == 3


def test_a_rule_that_is_not_there_cannot_be_removed(filled: CommandLine) -> None:
    said = filled("senders", "remove", "baas@reclame.example", code=1)  # it is Support's own
    assert said == "There is no rule for the address baas@reclame.example for all helpdesks.\n"
    assert len(filled.json("senders", "list")) == 2
